namespace ToolN1.Training.Data.Synthetic;

/// <summary>
/// What a schema says of a function or a parameter. There are many ways to say the same, so that a model learns to read
/// descriptions, and not to know them by heart.
/// </summary>
internal static class Descriptions
{
    private static readonly string[] FunctionTails = [" Returns JSON.", " Use it when the user asks for it.", " Returns an error if nothing is found.", " The result is a short text.", " Do not call it twice.", ", fast", " (beta)", ", if there is one", " for the user"];
    private static readonly string[] FunctionHeads = ["This tool can ", "Use this to ", "Function to ", "Tool to ", "Lets you ", "Call this to "];

    /// <summary>Of a function.</summary>
    public static string OfFunction(FunctionSpec spec, SeededRandom form)
    {
        string text = spec.Descriptions.Length > 0 && form.Chance(0.5) ? form.Pick(spec.Descriptions) : Composed(spec, form);
        if (form.Chance(0.1))
        {
            text = form.Pick(FunctionHeads) + Lower(text);
        }

        return form.Chance(0.12) ? Tail(text, form.Pick(FunctionTails)) : text;
    }

    /// <summary>Of a parameter; an example in it is a value of training.</summary>
    public static string OfParameter(ParameterUse use, FunctionSpec spec, ValueSampler values, SeededRandom form)
    {
        ParameterRole role = use.Role;
        string usual = form.Pick(role.Descriptions);
        string[] nouns = [.. role.Names.Where(IsNoun)];
        string word = form.PickMostly(nouns.Length > 0 ? nouns : role.Names, 0.6).Replace('_', ' ');
        string thing = spec.Object.Key;
        string text = form.Below(34) switch
        {
            0 => "The " + word,
            1 => $"The {word} of the {thing}",
            2 => $"{Capital(word)} of the {thing}",
            3 => $"The {thing}'s {word}",
            4 => $"{Capital(word)} to use",
            5 => $"The {word} to {spec.Verb.Key} the {thing} with",
            6 => $"{Capital(word)} for the {thing}",
            7 => "Desired " + word,
            8 => $"Which {word}",
            9 => $"{Capital(word)} parameter",
            10 => "Specifies " + Lower(usual),
            11 => Lower(usual),
            12 => $"{usual} of the {thing}",
            13 => Capital(word),
            _ => usual,
        };
        if (role.Type is "string" or "number" or "integer" && !role.Values.StartsWith("enum:", StringComparison.Ordinal) && !text.Contains("e.g.", StringComparison.Ordinal) && form.Chance(0.16))
        {
            string example = values.Draw(role.Values, form, DataSplit.Train).Json.Trim('"');
            text += form.Pick([", e.g. {0}", " (e.g. {0})", ", for example {0}", ", such as {0}", " like {0}", ". Example: {0}"]).Replace("{0}", example, StringComparison.Ordinal);
        }
        else if (form.Chance(0.1))
        {
            text += form.Pick<string>(use.Required ? [" (required)", ", required", ". Must be given", ", as the user says it"] : [" (optional)", ", optional", ". Leave it out if unknown", ", if any"]);
        }

        return form.Chance(0.12) && text[^1] != '.' ? text + "." : text;
    }

    /// <summary>Whether a parameter's name can stand in a sentence about it: "The city", not "The to".</summary>
    private static bool IsNoun(string name) => name.Length > 3 && name is not ("from" or "into" or "begin" or "since" or "until" or "when" or "about");

    private static string Composed(FunctionSpec spec, SeededRandom form)
    {
        string verb = form.PickMostly(spec.Verb.Descriptions, 0.4);
        string thing = form.PickMostly(spec.Object.Words, 0.7);
        string start = $"{verb} {(spec.Verb.Article == "all" ? "all matching" : spec.Verb.Article == "a" ? ToolForm.An(thing) : "the")} {(spec.Verb.Article == "all" ? ToolForm.Plural(thing) : thing)}";
        if (spec.Parameters.Length == 0)
        {
            return start;
        }

        string role = form.Pick(spec.Parameters).Role.Names[0].Replace('_', ' ');
        return form.Below(8) switch
        {
            0 => start + ".",
            1 => $"{start} for a given {role}",
            2 => $"{start} by {role}",
            3 => $"{start} with the given {role}.",
            4 => $"{start} ({spec.Domain.Key})",
            5 => $"{start} in {spec.Domain.Key}",
            _ => start,
        };
    }

    private static string Tail(string text, string tail) => tail[1] is >= 'A' and <= 'Z' ? text.TrimEnd('.') + "." + tail : text.TrimEnd('.') + tail;

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];

    /// <summary>A small first letter, unless it is an abbreviation's.</summary>
    private static string Lower(string text) => text.Length > 1 && char.IsUpper(text[1]) ? text : char.ToLowerInvariant(text[0]) + text[1..];
}
