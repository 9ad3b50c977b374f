namespace ToolN1.Cli.Bench;

/// <summary>What clients saw. Used by one client at a time.</summary>
internal sealed class LoadResult
{
    /// <summary>Requests sent.</summary>
    public int Requests { get; set; }

    /// <summary>From sending to the first text, of each answer.</summary>
    public List<double> FirstMilliseconds { get; } = [];

    /// <summary>Between two pieces of text of an answer.</summary>
    public List<double> GapMilliseconds { get; } = [];

    /// <summary>From the first to the last piece of text of an answer, divided by the pieces between: one number an answer. Pieces that are read together do not change it.</summary>
    public List<double> PerTokenMilliseconds { get; } = [];

    /// <summary>What went wrong with requests that failed.</summary>
    public List<string> Failures { get; } = [];

    /// <summary>Several results as one.</summary>
    public static LoadResult Join(params IEnumerable<LoadResult> parts)
    {
        LoadResult all = new();
        foreach (LoadResult part in parts)
        {
            all.Requests += part.Requests;
            all.FirstMilliseconds.AddRange(part.FirstMilliseconds);
            all.GapMilliseconds.AddRange(part.GapMilliseconds);
            all.PerTokenMilliseconds.AddRange(part.PerTokenMilliseconds);
            all.Failures.AddRange(part.Failures);
        }

        return all;
    }
}
