using System.Text.Json;
using System.Text.Json.Nodes;
using ToolN1.Api.Errors;
using ToolN1.Api.Shapes;

namespace ToolN1.Api.Contracts.FineTuning;

/// <summary>A job's hyperparameters as parameters of a query: nested ones with a dot (<c>lora.rank=16</c>), lists with commas.</summary>
internal static class PlanQuery
{
    /// <summary>The methods, the one that is planned where none is named first.</summary>
    public static readonly IReadOnlyList<string> Methods = ["reinforcement", "supervised"];

    private static readonly IReadOnlyList<(string Name, Field Field)> Reinforcement = [.. Flatten("", ReinforcementShapes.Hyperparameters)];

    private static readonly IReadOnlyList<(string Name, Field Field)> Supervised = [.. Flatten("", FineTuningShapes.Hyperparameters)];

    /// <summary>The parameters with their descriptions. A supervised job has some of a reinforcement job's, and none beside them.</summary>
    public static IReadOnlyList<(string Name, string Description)> Parameters { get; } =
        [.. Reinforcement.Select(item => (item.Name, item.Field.Description + (Supervised.FirstOrDefault(other => other.Name == item.Name).Field is Field field ? " Of a supervised job: " + field.Description : "")))];

    /// <summary>The method's object that the query stands for, checked as a body is.</summary>
    /// <param name="query">Holds no other names than <see cref="Parameters"/> and the route's own.</param>
    /// <param name="method">One of <see cref="Methods"/>.</param>
    /// <exception cref="ApiException">400 naming a value that is wrong, or that the method does not have.</exception>
    public static JsonElement Bind(Endpoints.QueryString query, string method)
    {
        bool isSupervised = method == "supervised";
        JsonObject hyperparameters = [];
        foreach ((string name, Field field) in isSupervised ? Supervised : Reinforcement)
        {
            if (query.Text(name) is string text)
            {
                string[] path = name.Split('.');
                JsonObject target = hyperparameters;
                if (path.Length == 2)
                {
                    target = hyperparameters[path[0]] as JsonObject ?? [];
                    hyperparameters[path[0]] ??= target;
                }

                target[path[^1]] = Value(field.Shape, text);
            }
        }

        if (isSupervised && Reinforcement.Select(item => item.Name).Except(Supervised.Select(item => item.Name)).FirstOrDefault(name => query.Text(name) is not null) is string other)
        {
            throw ApiException.Invalid(other, $"'{other}' is not a parameter of the method '{method}', which has {string.Join(", ", Supervised.Select(item => $"'{item.Name}'"))}.", "unknown_parameter");
        }

        JsonObject options = new() { ["hyperparameters"] = hyperparameters };
        JsonElement element = JsonSerializer.SerializeToElement(options, ApiJsonContext.Relaxed.JsonObject);
        (isSupervised ? FineTuningShapes.Hyperparameters : ReinforcementShapes.Hyperparameters).Check(element.GetProperty("hyperparameters"), FieldPath.Root);
        return element;
    }

    private static JsonNode Value(Shape shape, string text)
    {
        if (shape is ArrayShape list)
        {
            return new JsonArray([.. text.Split(',').Select(item => Value(list.Item, item))]);
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            if (document.RootElement.ValueKind is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False && shape.Fits(document.RootElement))
            {
                return JsonNode.Parse(text)!;
            }
        }
        catch (JsonException)
        {
            // Text that is no JSON is a text.
        }

        return JsonValue.Create(text);
    }

    private static IEnumerable<(string Name, Field Field)> Flatten(string prefix, ObjectShape shape) =>
        shape.Fields.SelectMany(field => field.Shape is ObjectShape inner ? Flatten(prefix + field.Name + ".", inner) : [(prefix + field.Name, field)]);
}
