using ToolN1.Training.Grpo;

namespace ToolN1.Training.Tests.Grpo;

/// <summary>Keeps what a run reports, can stop it after a step and do something at one.</summary>
internal sealed class RecordingObserver : IGrpoObserver, IDisposable
{
    private readonly CancellationTokenSource _stop = new();

    public int? StopAfter { get; init; }

    public Action<GrpoStepResult> AtStep { get; init; } = _ => { };

    /// <summary>Cancels the run once this step's checkpoint is written; 0 is the initial policy's.</summary>
    public int? StopAfterSave { get; init; }

    public CancellationToken StopToken => _stop.Token;

    public GrpoStart? Start { get; private set; }

    public List<GrpoStepResult> Steps { get; } = [];

    public List<GrpoAlarm> Alarms { get; } = [];

    public List<GrpoEvaluation> Evaluations { get; } = [];

    public List<GrpoSample> Samples { get; } = [];

    public List<int> Saves { get; } = [];

    public void Started(GrpoStart start) => Start = start;

    public void Progressed(string phase, int done, int total) => Assert.InRange(done, 1, total);

    public void Stepped(GrpoStepResult result)
    {
        Steps.Add(result);
        AtStep(result);
        if (result.Step == StopAfter)
        {
            _stop.Cancel();
        }
    }

    public void Sampled(IReadOnlyList<GrpoSample> samples) => Samples.AddRange(samples);

    public void Evaluated(GrpoEvaluation evaluation) => Evaluations.Add(evaluation);

    public void Saved(int step, string path)
    {
        Assert.True(File.Exists(Path.Combine(path, "manifest.json")));
        Saves.Add(step);
        if (step == StopAfterSave)
        {
            _stop.Cancel();
        }
    }

    public void Alarmed(GrpoAlarm alarm) => Alarms.Add(alarm);

    public void Dispose() => _stop.Dispose();
}
