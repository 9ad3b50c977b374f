namespace ToolN1.Training.Data.Paper;

/// <summary>How a published dataset becomes rows. The same options and files give the same rows, byte for byte.</summary>
public sealed record PaperDatasetOptions
{
    /// <summary>Share of the items whose rows go to validation.jsonl, in 0..1.</summary>
    public double Validation { get; init; }

    /// <summary>Share of the rows that get a twin without the called tools, whose right answer is no call; only where tools remain.</summary>
    public double Irrelevance { get; init; }

    /// <summary>Share of the rows whose function and parameter names are masked (Hammer's is 0.67).</summary>
    public double Masking { get; init; }

    /// <summary>Similarity, in (0, 1], from which a row that repeats an earlier one is left out; null keeps all.</summary>
    public double? NearDuplicates { get; init; }

    /// <summary>Questions to keep clear of; null for none.</summary>
    public BenchmarkQuestions? Questions { get; init; }

    /// <summary>Decides split, twins and masks.</summary>
    public long Seed { get; init; }

    /// <summary>
    /// True: choose as the published script does: exact counts, row by row, twins without an instruction how to answer; a row
    /// that the roundings leave over is on neither side. False: each item and each row by a chance of its own, all rows of an
    /// item on one side.
    /// </summary>
    public bool PublishedCounts { get; init; }
}
