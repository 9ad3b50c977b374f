namespace ToolN1.Engine.Execution;

/// <summary>What callers ask of the engine's thread.</summary>
/// <param name="Kind">Start, cancel, or (without a request) wake up to stop.</param>
/// <param name="Request">The request concerned.</param>
internal readonly record struct EngineCommand(EngineCommandKind Kind, RequestState? Request);

/// <summary>Kinds of <see cref="EngineCommand"/>.</summary>
internal enum EngineCommandKind
{
    /// <summary>Queue the request's sequence.</summary>
    Start,

    /// <summary>End the request and free its blocks.</summary>
    Cancel,

    /// <summary>Look at the stop flags.</summary>
    Wake,
}
