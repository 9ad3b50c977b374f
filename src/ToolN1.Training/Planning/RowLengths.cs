using ToolN1.Training.Data;

namespace ToolN1.Training.Planning;

/// <summary>What a plan knows of the rows that a run learns from.</summary>
/// <param name="Count">Rows.</param>
/// <param name="Longest">Tokens of the longest one: prompt and answer where answers are taught, else the prompt.</param>
/// <param name="Tokens">Of all together.</param>
public sealed record RowLengths(int Count, int Longest, long Tokens)
{
    private const int RowsAtATime = 4096;

    /// <summary>Tokens of a row on average; 0 where there is none.</summary>
    internal double Mean => Count > 0 ? (double)Tokens / Count : 0;

    /// <summary>Measures rows.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="tokensOf">A row's tokens, as a run encodes it; called from several threads.</param>
    /// <param name="maxTokens">Longer rows are left out, as a run leaves them out.</param>
    internal static RowLengths Measure(IEnumerable<TrainingRow> rows, Func<TrainingRow, int> tokensOf, int maxTokens)
    {
        RowLengths measured = new(0, 0, 0);
        foreach (TrainingRow[] batch in rows.Chunk(RowsAtATime))
        {
            int[] kept = [.. batch.AsParallel().Select(tokensOf).Where(length => length <= maxTokens)];
            measured = new RowLengths(measured.Count + kept.Length, Math.Max(measured.Longest, kept.DefaultIfEmpty().Max()), measured.Tokens + kept.Sum(length => (long)length));
        }

        return measured;
    }
}
