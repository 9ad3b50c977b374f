namespace ToolN1.Training.Planning;

/// <summary>Makes a run smaller change by change, each on top of those before it, until it is below a limit.</summary>
/// <param name="config">The run.</param>
/// <param name="total">All bytes of a run.</param>
/// <param name="limit">Bytes there are.</param>
internal sealed class RemedySearch<TConfig>(TConfig config, Func<TConfig, long> total, long limit)
{
    private readonly List<MemoryRemedy> _remedies = [];
    private long _total = total(config);

    /// <summary>The run with the changes so far.</summary>
    public TConfig Current { get; private set; } = config;

    /// <summary>The changes so far.</summary>
    public IReadOnlyList<MemoryRemedy> Remedies => _remedies;

    /// <summary>Takes a change that makes the run smaller.</summary>
    /// <param name="change">Field and value.</param>
    /// <param name="changed"><see cref="Current"/> with it.</param>
    /// <returns>Whether the run fits now.</returns>
    public bool Try(string change, TConfig changed)
    {
        long bytes = total(changed);
        if (bytes >= _total)
        {
            return false;
        }

        (_total, Current) = (bytes, changed);
        _remedies.Add(new MemoryRemedy(change, bytes));
        return bytes <= limit;
    }
}
