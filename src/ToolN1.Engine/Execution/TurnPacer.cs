namespace ToolN1.Engine.Execution;

/// <summary>
/// Divides the device between requests and a leaseholder's turns: after a turn of t seconds, requests that are in flight
/// get t × share / (1 − share) seconds of steps before the next one. Without requests turns follow each other at once.
/// </summary>
internal sealed class TurnPacer
{
    private TimeSpan _owed;

    /// <summary>Notes a turn.</summary>
    /// <param name="duration">How long it took.</param>
    /// <param name="liveShare">Share of the device that requests are to have while both want it; in [0, 1).</param>
    public void TurnTook(TimeSpan duration, double liveShare) => _owed = duration * (liveShare / (1 - liveShare));

    /// <summary>Notes a step.</summary>
    public void StepTook(TimeSpan duration) => _owed -= duration;

    /// <summary>Whether a turn may begin.</summary>
    /// <param name="hasRequests">Whether requests are in flight.</param>
    public bool MayBegin(bool hasRequests) => !hasRequests || _owed <= TimeSpan.Zero;
}
