namespace ToolN1.Training.Packing;

/// <summary>
/// Rows that begin alike: the common beginning of their prompts once, then each row's own rest. Every row sees the prefix
/// and itself, never another row.
/// </summary>
/// <param name="Prefix">Ids that all the prompts begin with.</param>
/// <param name="Rows">The rows; at least one.</param>
internal sealed record RowGroup(int[] Prefix, IReadOnlyList<RowRest> Rows)
{
    /// <summary>Tokens that a forward pass takes for the group.</summary>
    public int TokenCount { get; } = Prefix.Length + Rows.Sum(row => row.Prompt.Length + row.Answer.Length);

    /// <summary>Makes a group of whole rows.</summary>
    /// <param name="rows">Prompts (at least one token each) and answers (at least one token each).</param>
    public static RowGroup Create(IReadOnlyList<(int[] Prompt, int[] Answer)> rows)
    {
        int shared = rows[0].Prompt.Length;
        foreach ((int[] prompt, _) in rows)
        {
            shared = rows[0].Prompt.AsSpan(0, shared).CommonPrefixLength(prompt);
        }

        return new RowGroup(rows[0].Prompt[..shared], [.. rows.Select(row => new RowRest(row.Prompt[shared..], row.Answer))]);
    }
}

/// <summary>What a row has beyond its group's prefix.</summary>
/// <param name="Prompt">Rest of the prompt; may be empty.</param>
/// <param name="Answer">The target, at least one token.</param>
internal sealed record RowRest(int[] Prompt, int[] Answer);
