using ToolN1.Training.Sft;

namespace ToolN1.Training.Tests.Sft;

/// <summary>Keeps what a run reports and can stop it after a step.</summary>
internal sealed class SilentObserver : ISftObserver, IDisposable
{
    private readonly CancellationTokenSource _stop = new();

    public int? StopAfter { get; init; }

    public CancellationToken StopToken => _stop.Token;

    public List<SftStepResult> Results { get; } = [];

    public SftDatasetSummary? Data { get; private set; }

    public void Started(long parameters, int doneSteps, int totalSteps)
    {
    }

    public void PhaseLoaded(string phase, SftDatasetSummary summary) => Data = summary;

    public void Stepped(int step)
    {
        if (step == StopAfter)
        {
            _stop.Cancel();
        }
    }

    public List<int> Checkpoints { get; } = [];

    public void Saved(int step, string folder)
    {
        Assert.True(Directory.Exists(folder));
        Checkpoints.Add(step);
    }

    public void Measured(SftStepResult result) => Results.Add(result);

    public void Dispose() => _stop.Dispose();
}
