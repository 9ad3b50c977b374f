using System.Text;
using ToolN1.Engine.Chat;

namespace ToolN1.Training.Data.Synthetic;

/// <summary>A call being made: its tool, the values of its parameters in schema order (null: not mentioned), and how they are said.</summary>
internal sealed record CallDraft(ToolForm Form, SampledValue?[] Values)
{
    /// <summary>The mentioned parameters for the request.</summary>
    public IReadOnlyList<Saying> Said =>
        [.. Values.Select((value, i) => (value, i)).Where(x => x.value is not null).Select(x => new Saying(x.i, Form.Spec.Parameters[x.i].Role, x.value!.Spoken))];

    /// <summary>The call as the answer has it: parameters in the schema's order.</summary>
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
    /// The call in the reasoning: what is asked with the request's words in their order, the description that it fits, the tool,
    /// then every parameter as the schema has it, with the words that speak of it and the value, or none. Every step copies
    /// what stands next in the request, in the schema or in the words just written, or looks up one thing by them, which is
    /// what a small model can do: the request's order tells what is mentioned, the schema's order gives the names.
    /// </summary>
    public string Plan(SaidCall said)
    {
        StringBuilder text = new($"Asked: {said.Summary}. {said.Gist} fits {Gloss(Form.Description)}. Use {Form.Tool.Name}");
        for (int i = 0; i < Values.Length; i++)
        {
            text.Append(i == 0 ? ": " : "; ").Append(Form.ParameterNames[i]);
            if (Form.ParameterDescriptions[i] is string description)
            {
                text.Append(": ").Append(Gloss(description));
            }

            if (Values[i] is SampledValue value)
            {
                text.Append(": ").Append(said.Phrases.First(phrase => phrase.Parameter == i).Words).Append(" = ").Append(value.Json);
            }
            else
            {
                text.Append(" = none");
            }
        }

        return text.Append('.').ToString();
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
    public static IReadOnlyList<Saying>? Spread(List<CallDraft> calls, SeededRandom random)
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
        return [.. calls[0].Said.Select(said => said.Parameter == varied ? said with { Spoken = joined } : said)];
    }
}
