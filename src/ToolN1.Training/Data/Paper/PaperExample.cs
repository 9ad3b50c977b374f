namespace ToolN1.Training.Data.Paper;

/// <summary>What became of one example of a published dataset: a row, or the reason why it is left out.</summary>
public sealed record PaperExample
{
    private PaperExample()
    {
    }

    /// <summary>The row, or null.</summary>
    public TrainingRow? Row { get; private init; }

    /// <summary>Null, or a few words that count together.</summary>
    public string? DropReason { get; private init; }

    /// <summary>Null, or what exactly was found.</summary>
    public string? Detail { get; private init; }

    /// <summary>Whether the published script reads this example's calls as others than they are (<see cref="PublishedCalls"/>).</summary>
    public bool PublishedReadsOtherwise { get; init; }

    /// <summary>A row.</summary>
    public static PaperExample Keep(TrainingRow row) => new() { Row = row };

    /// <summary>A left-out example.</summary>
    public static PaperExample Drop(string reason, string? detail = null) => new() { DropReason = reason, Detail = detail };
}
