using System.Text;
using ToolN1.Engine.Chat;

namespace ToolN1.Training.Data.Synthetic;

/// <summary>A call being made: its tool, the values of its parameters in schema order (null: not mentioned), and how they are said.</summary>
internal sealed record CallDraft(ToolForm Form, SampledValue?[] Values)
{
    /// <summary>The mentioned parameters for the request.</summary>
    public IReadOnlyList<(ParameterUse Use, string Name, string Spoken)> Said =>
        [.. Values.Select((value, i) => (value, i)).Where(x => x.value is not null).Select(x => Saying(x.i, x.value!.Spoken))];

    /// <summary>The call as the answer has it.</summary>
    public TrainingCall Call
    {
        get
        {
            IEnumerable<string> fields = Values.Select((value, i) => (value, i)).Where(x => x.value is not null)
                .Select(x => $"{PythonJson.Quote(Form.ParameterNames[x.i])}: {x.value!.Json}");
            return new TrainingCall(Form.Tool.Name, "{" + string.Join(", ", fields) + "}");
        }
    }

    /// <summary>
    /// The call in the reasoning: what is asked and the description that fits it, then the tool in the schema's own order:
    /// name, and every parameter with what the schema says of it and its value, or none. Each step copies what
    /// stands beside the last one in the prompt, or looks up something by words that were just written, which is what a small
    /// model can do: going from a request straight to a name, or from a name over its description to a parameter, is not.
    /// </summary>
    public string Plan
    {
        get
        {
            string fitting = Gloss(Form.Description);
            StringBuilder text = new($"{Form.Spec.Gist} fits {fitting}. Use {Form.Tool.Name}");
            for (int i = 0; i < Values.Length; i++)
            {
                text.Append(i == 0 ? ": " : "; ").Append(Form.ParameterNames[i]);
                if (Form.ParameterDescriptions[i] is string description)
                {
                    text.Append(": ").Append(Gloss(description));
                }

                text.Append(" = ").Append(Values[i]?.Json ?? "none");
            }

            return text.Append('.').ToString();
        }
    }

    /// <summary>A description up to its first mark: long ones are quoted by their beginning.</summary>
    private static string Gloss(string description)
    {
        int end = description.AsSpan(1).IndexOfAny(".,;:(");
        return (end < 0 ? description : description[..(end + 1)]).Trim();
    }

    /// <summary>Draws values for the required parameters and for some of the optional ones; no two alike.</summary>
    public static CallDraft Draw(ToolForm form, ValueSampler sampler, SeededRandom random, DataSplit split, double optional)
    {
        ParameterUse[] uses = form.Spec.Parameters;
        SampledValue?[] values = new SampledValue?[uses.Length];
        for (int i = 0; i < uses.Length; i++)
        {
            if (!uses[i].Required && !random.Chance(optional))
            {
                continue;
            }

            int tries = 0;
            do
            {
                values[i] = sampler.Draw(uses[i].Role.Values, random, split);
            }
            while (tries++ < 20 && values.Take(i).Any(v => v is not null && v.Json == values[i]!.Json && v.Json is not ("true" or "false")));
        }

        return new CallDraft(form, values);
    }

    /// <summary>
    /// Makes calls of one tool differ in a single required parameter and says them in one breath ("in Oslo and Rome");
    /// null where the tool has no fitting parameter or chance decides otherwise.
    /// </summary>
    public static IReadOnlyList<(ParameterUse Use, string Name, string Spoken)>? Spread(List<CallDraft> calls, SeededRandom random)
    {
        ToolForm form = calls[0].Form;
        int[] fitting = [.. Enumerable.Range(0, form.Spec.Parameters.Length).Where(i =>
            form.Spec.Parameters[i] is { Required: true, Role.Type: "string" } use && use.Role.Values is not ("sentence" or "title") && calls[0].Values[i] is not null)];
        if (fitting.Length == 0 || random.Chance(0.4))
        {
            return null;
        }

        int varied = random.Pick(fitting);
        if (calls.Select(c => c.Values[varied]!.Json).Distinct().Count() < calls.Count)
        {
            return null;
        }

        for (int i = 1; i < calls.Count; i++)
        {
            SampledValue?[] values = [.. calls[0].Values];
            values[varied] = calls[i].Values[varied];
            calls[i] = calls[i] with { Values = values };
        }

        string[] spoken = [.. calls.Select(c => c.Values[varied]!.Spoken)];
        string joined = string.Join(", ", spoken.Take(spoken.Length - 1)) + random.Pick([" and ", " and also ", " as well as "]) + spoken[^1];
        return [.. calls[0].Said.Select(s => s.Use == form.Spec.Parameters[varied] ? (s.Use, s.Name, joined) : s)];
    }

    private (ParameterUse Use, string Name, string Spoken) Saying(int index, string spoken)
    {
        ParameterUse use = Form.Spec.Parameters[index];
        return (use, use.Role.Names[0], spoken);
    }
}
