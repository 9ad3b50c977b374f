using System.Text.Json;
using ToolN1.Training.Grpo;

namespace ToolN1.Training.Jobs.Methods;

/// <summary>A step's figures by name: those of metrics.jsonl, nested ones with a dot, and the loss under OpenAI's name too.</summary>
internal static class ReinforcementFigures
{
    /// <summary>The figures; what the step has no data for is left out.</summary>
    public static IReadOnlyDictionary<string, double> Of(GrpoStepResult result)
    {
        Dictionary<string, double> figures = new(StringComparer.Ordinal);
        Add(figures, "", JsonSerializer.SerializeToElement(result, GrpoJson.Default.GrpoStepResult));
        if (result.Loss is double loss)
        {
            figures["train_loss"] = loss;
        }

        figures.Remove("step");
        return figures;
    }

    private static void Add(Dictionary<string, double> figures, string prefix, JsonElement element)
    {
        foreach (JsonProperty field in element.EnumerateObject())
        {
            if (field.Value.ValueKind == JsonValueKind.Object && field.Name != "reward_errors")
            {
                Add(figures, prefix + field.Name + ".", field.Value);
            }
            else if (field.Value.ValueKind == JsonValueKind.Number)
            {
                figures[prefix + field.Name] = field.Value.GetDouble();
            }
        }
    }
}
