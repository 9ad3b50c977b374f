namespace ToolN1.Engine;

/// <summary>The engine's queue is full, or it is stopping. The request was not accepted; it may be sent again later.</summary>
public sealed class EngineOverloadedException : Exception
{
    /// <summary>Creates the exception.</summary>
    public EngineOverloadedException(string message, TimeSpan retryAfter, bool isStopping = false)
        : base(message)
    {
        RetryAfter = retryAfter;
        IsStopping = isStopping;
    }

    /// <summary>A sensible time to wait before another try.</summary>
    public TimeSpan RetryAfter { get; }

    /// <summary>True when this engine will never accept it: it is stopping.</summary>
    public bool IsStopping { get; }
}
