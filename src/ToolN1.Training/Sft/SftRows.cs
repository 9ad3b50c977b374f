using ToolN1.Training.Data;

namespace ToolN1.Training.Sft;

/// <summary>What a plan knows of the rows that a run learns from.</summary>
/// <param name="Count">Rows.</param>
/// <param name="Longest">Tokens of the longest one, prompt and answer.</param>
/// <param name="Tokens">Of all together.</param>
public sealed record SftRows(int Count, int Longest, long Tokens)
{
    private const int RowsAtATime = 4096;

    /// <summary>Encodes rows to measure them.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="encoder">As a run encodes them.</param>
    /// <param name="maxTokens">Longer rows are left out, as a run leaves them out.</param>
    internal static SftRows Measure(IEnumerable<TrainingRow> rows, RowEncoder encoder, int maxTokens)
    {
        SftRows measured = new(0, 0, 0);
        foreach (TrainingRow[] batch in rows.Chunk(RowsAtATime))
        {
            int[] kept = [.. batch.AsParallel().Select(row => encoder.EncodePrompt(row).Length + encoder.EncodeAnswer(row).Length).Where(length => length <= maxTokens)];
            measured = new SftRows(measured.Count + kept.Length, Math.Max(measured.Longest, kept.DefaultIfEmpty().Max()), measured.Tokens + kept.Sum(length => (long)length));
        }

        return measured;
    }
}
