namespace ToolN1.Training.Data.Paper;

/// <summary>What became of one example of a published dataset: a row, or the reason why it is left out.</summary>
/// <param name="Row">The row, or null.</param>
/// <param name="DropReason">Null, or a few words that count together.</param>
public readonly record struct PaperRowResult(TrainingRow? Row, string? DropReason)
{
    /// <summary>A row.</summary>
    public static PaperRowResult Keep(TrainingRow row) => new(row, null);

    /// <summary>A left-out example.</summary>
    public static PaperRowResult Drop(string reason) => new(null, reason);
}
