namespace ToolN1.Training.Data.Paper;

/// <summary>What a dataset's files became: the equivalent of the paper's Table 1.</summary>
/// <param name="Items">Items read.</param>
/// <param name="Training">Rows in train.jsonl.</param>
/// <param name="Validation">Rows in validation.jsonl.</param>
/// <param name="Categories">Rows by category.</param>
/// <param name="Dropped">Left-out examples by reason.</param>
public sealed record PaperDatasetReport(
    long Items, long Training, long Validation, IReadOnlyDictionary<string, long> Categories, IReadOnlyDictionary<string, long> Dropped);
