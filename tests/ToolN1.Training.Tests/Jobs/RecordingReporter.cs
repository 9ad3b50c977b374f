using ToolN1.Training.Grpo;
using ToolN1.Training.Jobs.Methods;

namespace ToolN1.Training.Tests.Jobs;

/// <summary>Keeps what a method reports; a test may act at its steps.</summary>
internal sealed class RecordingReporter : IJobReporter
{
    public List<(int Done, int Total)> Starts { get; } = [];

    public List<(string Level, string Message)> Messages { get; } = [];

    public List<(int Step, IReadOnlyDictionary<string, double> Figures)> Steps { get; } = [];

    public List<(int Step, IReadOnlyDictionary<string, double> Figures)> Evaluations { get; } = [];

    public List<GrpoSample> Samples { get; } = [];

    public List<(int Step, string Folder)> Checkpoints { get; } = [];

    /// <summary>Changes by the step that they hold from.</summary>
    public Dictionary<int, string> EditsByStep { get; } = [];

    public Action<int> AtStep { get; set; } = _ => { };

    public void Started(int doneSteps, int totalSteps) => Starts.Add((doneSteps, totalSteps));

    public void Message(string level, string message) => Messages.Add((level, message));

    public void Measured(int step, long trainedTokens, string headline, IReadOnlyDictionary<string, double> figures)
    {
        Steps.Add((step, figures));
        AtStep(step);
    }

    public void Evaluated(int step, string message, IReadOnlyDictionary<string, double> figures) => Evaluations.Add((step, figures));

    public void Sampled(int step, IReadOnlyList<GrpoSample> samples) => Samples.AddRange(samples);

    public IReadOnlyList<string> Edits(int step) => EditsByStep.TryGetValue(step, out string? edit) ? [edit] : [];

    public void Saved(int step, string folder) => Checkpoints.Add((step, folder));
}
