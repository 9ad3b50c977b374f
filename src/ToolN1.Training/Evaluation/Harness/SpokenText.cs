namespace ToolN1.Training.Evaluation.Harness;

/// <summary>Takes apart a conversation that a benchmark writes as one text, each turn on a line that begins with its speaker.</summary>
internal static class SpokenText
{
    /// <summary>What the user says.</summary>
    /// <param name="text">The conversation.</param>
    /// <param name="user">How a line of the user begins; a line that begins with no label goes on with the turn before it.</param>
    /// <param name="others">How lines of others begin.</param>
    /// <returns>The user's turns without their label; the whole text where no line has the label.</returns>
    public static IReadOnlyList<string> Of(string text, string user, params string[] others)
    {
        List<string> turns = [];
        bool speaks = false;
        foreach (string line in text.Split('\n'))
        {
            if (line.StartsWith(user, StringComparison.Ordinal))
            {
                speaks = true;
                turns.Add(line[user.Length..].Trim());
            }
            else if (Array.Exists(others, label => line.StartsWith(label, StringComparison.Ordinal)))
            {
                speaks = false;
            }
            else if (speaks && line.Trim().Length > 0)
            {
                turns[^1] += "\n" + line.Trim();
            }
        }

        return turns.Count > 0 ? turns : [text];
    }
}
