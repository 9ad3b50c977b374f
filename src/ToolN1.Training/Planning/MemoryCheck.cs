namespace ToolN1.Training.Planning;

/// <summary>What a run needs beside what there is.</summary>
/// <param name="Plan">What it needs; of a job, the server that it runs in included.</param>
/// <param name="Limit">Bytes there are; null where nothing tells: a GPU that is not here, or whose driver is silent.</param>
/// <param name="Remedies">Where it does not fit: changes that make it smaller, each with all before it.</param>
public sealed record MemoryCheck(MemoryPlan Plan, long? Limit, IReadOnlyList<MemoryRemedy> Remedies)
{
    /// <summary>Whether it fits; null where the limit is not known.</summary>
    public bool? Fits => Limit is long limit ? Plan.Total <= limit : null;

    /// <summary>Whether the remedies, all together, make it fit.</summary>
    public bool CanFit => Fits == true || (Remedies.Count > 0 && Remedies[^1].TotalBytes <= Limit);

    /// <summary>What is told of a run that does not fit.</summary>
    public string Refusal =>
        $"The job needs {MiB(Plan.Total)} MiB and there are {MiB(Limit ?? 0)} MiB. "
        + (CanFit ? "With these it would fit" : "Nothing that can be changed about it makes it fit")
        + (Remedies.Count == 0 ? "." : $": {string.Join(", ", Remedies.Select(remedy => $"{remedy.Change} ({MiB(remedy.TotalBytes)} MiB)"))}, each on top of those before it.");

    /// <summary>Compares.</summary>
    /// <param name="plan">What the run needs.</param>
    /// <param name="limit">Bytes there are, or null.</param>
    /// <param name="remedies">Finds what brings it below a limit; asked where it does not fit.</param>
    internal static MemoryCheck Of(MemoryPlan plan, long? limit, Func<long, IReadOnlyList<MemoryRemedy>> remedies) =>
        new(plan, limit, limit is long bytes && plan.Total > bytes ? remedies(bytes) : []);

    private static long MiB(long bytes) => bytes >> 20;
}
