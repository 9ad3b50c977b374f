using System.Diagnostics;

namespace ToolN1.Training.Grpo;

/// <summary>What a step spends its time on.</summary>
internal enum Phase
{
    Generate,
    Reward,
    Score,
    Train,
    Publish,
}

/// <summary>Adds up the time of a step's phases.</summary>
internal sealed class PhaseClock
{
    private readonly TimeSpan[] _spent = new TimeSpan[Enum.GetValues<Phase>().Length];

    /// <summary>Adds to a phase.</summary>
    public void Add(Phase phase, TimeSpan time) => _spent[(int)phase] += time;

    /// <summary>Does a piece of a phase.</summary>
    public async Task TimeAsync(Phase phase, Func<Task> work)
    {
        long begin = Stopwatch.GetTimestamp();
        await work().ConfigureAwait(false);
        Add(phase, Stopwatch.GetElapsedTime(begin));
    }

    /// <summary>The phases' seconds so far.</summary>
    /// <param name="total">Seconds of the whole step.</param>
    public GrpoPhaseSeconds Seconds(double total)
    {
        double Of(Phase phase) => _spent[(int)phase].TotalSeconds;
        return new GrpoPhaseSeconds(Of(Phase.Generate), Of(Phase.Reward), Of(Phase.Score), Of(Phase.Train), Of(Phase.Publish), total);
    }
}
