namespace ToolN1.Training.Jobs.Models;

/// <summary>A model while a request uses it: it stays in memory until the use is disposed.</summary>
public sealed class ModelUse : IDisposable
{
    private readonly Action? _end;
    private int _ended;

    internal ModelUse(string name, string? weightVersion, Action? end)
    {
        Name = name;
        WeightVersion = weightVersion;
        _end = end;
    }

    /// <summary>The name that was asked for.</summary>
    public string Name { get; }

    /// <summary>Version of the weights to run on; null is whichever is live when the sequence starts.</summary>
    public string? WeightVersion { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _ended, 1) == 0)
        {
            _end?.Invoke();
        }
    }
}
