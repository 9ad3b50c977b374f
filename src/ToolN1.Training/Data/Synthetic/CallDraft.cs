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
    public TrainingCall Call => CallOf(Enumerable.Range(0, Values.Length).Where(i => Values[i] is not null));

    /// <summary>The call with its parameters in the order of the request's words.</summary>
    public TrainingCall CallAs(SaidCall said) => CallOf(said.Phrases.Select(phrase => phrase.Parameter));

    /// <summary>
    /// The call in the reasoning: what is asked and the description that fits it, the tool, then the request's words in
    /// their order, each with the parameter that it speaks of and the value. Every step copies what stands next in the
    /// request or beside the last word, or looks up one thing by words that were just written, which is what a small model
    /// can do: going through a schema and finding each parameter's place in the request, or that it has none, is not.
    /// </summary>
    public string Plan(SaidCall said)
    {
        StringBuilder text = new($"Asked: {said.Gist}. It fits: {Gloss(Form.Description)}. Use {Form.Tool.Name}");
        string mark = ": ";
        foreach (Phrase phrase in said.Phrases)
        {
            text.Append(mark).Append(phrase.Text.Trim(' ', ',', ':')).Append(": ").Append(Form.ParameterNames[phrase.Parameter]).Append(" = ").Append(Values[phrase.Parameter]!.Json);
            mark = "; ";
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

    private TrainingCall CallOf(IEnumerable<int> parameters) =>
        new(Form.Tool.Name, "{" + string.Join(", ", parameters.Select(i => $"{PythonJson.Quote(Form.ParameterNames[i])}: {Values[i]!.Json}")) + "}");
}
