namespace ToolN1.Training.Data.Paper;

/// <summary>How a published dataset becomes rows.</summary>
public sealed record PaperDatasetOptions
{
    /// <summary>Share of the rows that go to validation.jsonl, in 0..1; chosen row by row from the seed.</summary>
    public double Validation { get; init; }

    /// <summary>Share of the rows that get a twin without the called tools, whose right answer is no call; only where tools remain.</summary>
    public double Irrelevance { get; init; }

    /// <summary>Decides both choices; the same seed and files give the same rows.</summary>
    public long Seed { get; init; }
}
