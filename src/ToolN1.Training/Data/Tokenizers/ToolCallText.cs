namespace ToolN1.Training.Data.Tokenizers;

/// <summary>
/// Texts that every Tool-N1 conversation repeats: the JSON around names, descriptions and values, and the joints of our
/// reasoning. As single tokens they cost nothing, and a name or value always begins and ends at a token's edge.
/// </summary>
internal static class ToolCallText
{
    private static readonly string[] Types = ["string", "integer", "number", "boolean", "float"];

    /// <summary>The repeated texts, longest first.</summary>
    public static IReadOnlyList<string> Joints { get; } = [.. All().Distinct().OrderByDescending(text => text.Length).ThenBy(text => text, StringComparer.Ordinal)];

    private static IEnumerable<string> All()
    {
        string[] turns = ["system\n", "user\n", "assistant\n"];
        string[] tool =
        [
            "{\"type\": \"function\", \"function\": {\"name\": \"", "\", \"description\": \"", "\", \"parameters\": {\"type\": \"object\", \"properties\": {\"",
            "\", \"parameters\": {\"type\": \"dict\", \"properties\": {\"", "\", \"enum\": [\"", "\"], \"description\": \"", "\": {\"description\": \"",
            "\": {\"type\": \"string\", \"enum\": [\"", "\", \"type\": \"string\", \"enum\": [\"", "\"}, \"", "\"]}, \"", "}, \"",
            "\"}}, \"required\": [\"", "\"]}}, \"required\": [\"", "}}, \"required\": [\"", "\"}}, \"required\": []}}", "\"]}}", "\"]}}}", "\"}}}}", "\"}}}",
            "\"], \"additionalProperties\": false}}}", "\"], \"additionalProperties\": false}, \"strict\": true}}", "\"]}, \"strict\": true}}",
            "\", \"default\": \"", "\", \"default\": ", "\", \"format\": \"",
        ];
        string[] answer =
        [
            "[{\"name\": \"", "\", \"arguments\": {\"", "\", \"arguments\": {}}]", "\"}}]", "}}]", "\"]}}]", "]}}]", "\"}}, {\"name\": \"", "}}, {\"name\": \"",
            "\"]}}, {\"name\": \"", "]}}, {\"name\": \"", "\", \"", "\": \"", "\": ", "\": [\"", "\": [", "\"], \"", "], \"", ", \"", ", ", "[]",
        ];
        string[] reasoning =
        [
            "Asked: ", " fits ", " fits nothing.", ". Use ", ". Asked: ", "\". Asked: ", "\"]. Asked: ", ". ", ": ", " = \"", " = ", " = none; ", " = none. Asked: ", " = none.", " = [\"", " = [", "\"; ", "; ", "\"]; ", "]; ", "\". ", "\"]. ", "]. ", "\".", "\"].", "].",
        ];
        List<string> typed = [];
        foreach (string type in Types)
        {
            typed.AddRange([$"\": {{\"type\": \"{type}\", \"description\": \"", $"\": {{\"type\": \"{type}\"}}, \"", $"\": {{\"type\": \"{type}\"}}}}, \"required\": [\"",
                $"\", \"type\": \"{type}\"}}, \"", $"\", \"type\": \"{type}\"}}}}, \"required\": [\""]);
        }

        foreach (string item in (string[])["string", "number", "integer"])
        {
            string items = $"\"items\": {{\"type\": \"{item}\"}}";
            typed.AddRange([$"\": {{\"type\": \"array\", {items}, \"description\": \"", $"\", {items}}}, \"", $"\", {items}}}}}, \"required\": [\"",
                $"\", \"type\": \"array\", {items}}}, \"", $"\", \"type\": \"array\", {items}}}}}, \"required\": [\""]);
        }

        typed.Add("\": {\"type\": \"array\", \"description\": \"");
        return [.. turns, .. tool, .. answer, .. reasoning, .. typed];
    }
}
