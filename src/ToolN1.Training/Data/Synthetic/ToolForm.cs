using System.Globalization;
using System.Text;
using ToolN1.Engine.Chat;

namespace ToolN1.Training.Data.Synthetic;

/// <summary>A function in its outer form: name, description and JSON schema as a client would send them.</summary>
/// <param name="Spec">What it does.</param>
/// <param name="Tool">As a client would send it.</param>
/// <param name="Description">The function's.</param>
/// <param name="ParameterNames">In the schema's order.</param>
/// <param name="ParameterDescriptions">Of each parameter; null where the schema has none.</param>
internal sealed record ToolForm(FunctionSpec Spec, ChatTool Tool, string Description, string[] ParameterNames, string?[] ParameterDescriptions)
{
    private static readonly string[] Styles = ["snake", "snake", "snake", "camel", "snake", "dotted"];

    /// <summary>
    /// The usual form of a function is drawn from its own hash, so it is the same wherever it appears; a variant draws
    /// other names and descriptions; a masked one has names that say nothing (its descriptions still do).
    /// </summary>
    public static ToolForm Of(FunctionSpec spec, ValueSampler values, SeededRandom random, bool variant, bool masked, DataSplit split)
    {
        SeededRandom form = variant ? random : new SeededRandom(SeededRandom.Hash("form/" + spec.Gist + string.Join('/', spec.Parameters.Select(p => p.Role.Key))));
        string style = form.Pick(Styles);
        string thing = form.PickMostly(spec.Object.Words, 0.8).Replace("'", string.Empty, StringComparison.Ordinal);
        string[] words = [.. form.PickMostly(spec.Verb.Names, 0.6).Split('_'), .. thing.Split(' ')];
        string name = Join(words, style);
        name = style == "dotted" ? spec.Domain.Key + "." + name : name;
        HashSet<string> taken = [];
        string[] parameterNames = [.. spec.Parameters.Select(use => ParameterName(use.Role, form, style, taken))];
        string description = Descriptions.OfFunction(spec, form);
        string[] descriptions = [.. spec.Parameters.Select(use => Descriptions.OfParameter(use, spec, values, form))];
        if (masked)
        {
            name = MaskedName(random, split);
            taken.Clear();
            parameterNames = [.. parameterNames.Select(_ => MaskedParameter(random, split, taken))];
        }

        string?[] told = random.Chance(0.04) && !masked ? new string?[descriptions.Length] : [.. descriptions];
        return new ToolForm(spec, new ChatTool(name, Json(spec, name, description, parameterNames, told, random)), description, parameterNames, told);
    }

    private static string ParameterName(ParameterRole role, SeededRandom form, string style, HashSet<string> taken)
    {
        while (true)
        {
            string name = Join(form.PickMostly(role.Names, 0.5).Split('_'), style);
            if (taken.Add(name))
            {
                return name;
            }

            if (role.Names.All(other => taken.Contains(Join(other.Split('_'), style))))
            {
                taken.Add(role.Key);
                return role.Key;
            }
        }
    }

    private static string MaskedName(SeededRandom random, DataSplit split) => random.Below(5) switch
    {
        0 => "func_" + random.Between(1, 99),
        1 => RandomWords.Word(random, split),
        2 => RandomWords.Word(random, split) + RandomWords.Name(random, split),
        _ => RandomWords.Word(random, split) + "_" + RandomWords.Word(random, split),
    };

    private static string MaskedParameter(SeededRandom random, DataSplit split, HashSet<string> taken)
    {
        while (true)
        {
            string name = random.Below(5) switch
            {
                0 => "arg" + random.Between(1, 9),
                1 => "param_" + (char)('a' + random.Below(26)),
                2 => RandomWords.Word(random, split) + "_" + RandomWords.Word(random, split),
                _ => RandomWords.Word(random, split),
            };
            if (taken.Add(name))
            {
                return name;
            }
        }
    }

    private static string Json(FunctionSpec spec, string name, string functionDescription, string[] names, string?[] descriptions, SeededRandom random)
    {
        bool pythonTypes = random.Chance(0.06);
        bool enumFirst = random.Chance(0.5);
        bool descriptionFirst = random.Chance(0.08);
        StringBuilder text = new($"{{\"name\": {PythonJson.Quote(name)}, \"description\": {PythonJson.Quote(functionDescription)}, \"parameters\": {{\"type\": \"{(pythonTypes ? "dict" : "object")}\", \"properties\": {{");
        for (int i = 0; i < names.Length; i++)
        {
            ParameterRole role = spec.Parameters[i].Role;
            string type = pythonTypes ? role.Type switch { "number" => "float", var other => other } : role.Type;
            string choices = role.Values.StartsWith("enum:", StringComparison.Ordinal)
                ? ", \"enum\": [" + string.Join(", ", role.Values[5..].Split('/').Select(PythonJson.Quote)) + "]" : string.Empty;
            string items = role.Type == "array" ? $", \"items\": {{\"type\": \"{(role.Values == "numbers" ? "number" : "string")}\"}}" : string.Empty;
            string told = descriptions[i] is string description ? $", \"description\": {PythonJson.Quote(description)}" : string.Empty;
            string fields = $"\"type\": \"{type}\"" + (enumFirst ? choices + items + told : told + choices + items);
            if (descriptionFirst && told.Length > 0)
            {
                fields = $"{told[2..]}, \"type\": \"{type}\"" + choices + items;
            }

            text.Append(i == 0 ? string.Empty : ", ").Append(PythonJson.Quote(names[i])).Append(": {").Append(fields).Append('}');
        }

        string[] required = [.. names.Where((_, i) => spec.Parameters[i].Required)];
        text.Append("}, \"required\": [").Append(string.Join(", ", required.Select(PythonJson.Quote))).Append(']');
        if (random.Chance(0.1))
        {
            text.Append(", \"additionalProperties\": false");
        }

        text.Append('}');
        if (random.Chance(0.05))
        {
            text.Append(", \"strict\": true");
        }

        return text.Append('}').ToString();
    }

    private static string Join(string[] words, string style) => style == "camel"
        ? words[0] + string.Concat(words.Skip(1).Select(w => CultureInfo.InvariantCulture.TextInfo.ToTitleCase(w)))
        : string.Join('_', words);

    /// <summary>With its article.</summary>
    public static string An(string thing) => "aeiou".Contains(thing[0]) ? "an" : "a";

    /// <summary>Several of it, by the simple rule.</summary>
    public static string Plural(string thing) => thing.EndsWith('s') ? thing : thing.EndsWith('y') && !"aeiou".Contains(thing[^2]) ? thing[..^1] + "ies" : thing + "s";
}
