using ToolN1.Engine;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Execution;
using ToolN1.Engine.Tokenization;
using ToolN1.Training.Grpo;

namespace ToolN1.Training.Jobs.Methods;

/// <summary>A job as its method sees it.</summary>
public sealed record MethodRun
{
    /// <summary>Names the job in leases and weight versions.</summary>
    public required string Name { get; init; }

    /// <summary>What <see cref="ITrainingMethod.Resolve"/> returned.</summary>
    public required string Settings { get; init; }

    /// <summary>Seeds all chance.</summary>
    public required int Seed { get; init; }

    /// <summary>The job's own folder, for checkpoints and whatever else the method keeps.</summary>
    public required string Folder { get; init; }

    /// <summary>Hugging Face folder that training starts from.</summary>
    public required string StartFolder { get; init; }

    /// <summary>Version under which that is served until the run has ended; null unless <see cref="ITrainingMethod.NeedsStartServed"/> asks for it.</summary>
    public string? StartVersion { get; init; }

    /// <summary>Rows to learn from (JSONL).</summary>
    public required string TrainingRows { get; init; }

    /// <summary>Held-out rows (JSONL), or null.</summary>
    public string? HeldOutRows { get; init; }

    /// <summary>Samples, as for any client.</summary>
    public required IInferenceEngine Engine { get; init; }

    /// <summary>Grants turns on the engine's thread.</summary>
    public required IModelHost Models { get; init; }

    /// <summary>The model's tokenizer.</summary>
    public required Tokenizer Tokenizer { get; init; }

    /// <summary>The served chat format.</summary>
    public required IChatFormat Format { get; init; }

    /// <summary>Told what happens.</summary>
    public required IJobReporter Reporter { get; init; }
}

/// <summary>Takes down what happens to a job. Called on any thread, one call at a time.</summary>
public interface IJobReporter
{
    /// <summary>The run begins or goes on. Whatever was reported of later steps is forgotten: they are done again.</summary>
    /// <param name="doneSteps">Steps in the checkpoint that it goes on from; 0 for a new run.</param>
    /// <param name="totalSteps">Steps in all.</param>
    void Started(int doneSteps, int totalSteps);

    /// <summary>Something worth telling.</summary>
    /// <param name="level"><c>info</c> or <c>warn</c>.</param>
    /// <param name="message">What.</param>
    void Message(string level, string message);

    /// <summary>Figures of a step.</summary>
    /// <param name="step">The step, from 1.</param>
    /// <param name="trainedTokens">Tokens trained on since the job began.</param>
    /// <param name="headline">The step in a few words.</param>
    /// <param name="figures">By name.</param>
    void Measured(int step, long trainedTokens, string headline, IReadOnlyDictionary<string, double> figures);

    /// <summary>Figures of an evaluation after a step.</summary>
    /// <param name="step">The step; 0 is the start.</param>
    /// <param name="message">What was found.</param>
    /// <param name="figures">By name.</param>
    void Evaluated(int step, string message, IReadOnlyDictionary<string, double> figures);

    /// <summary>Some answers that a step was trained on.</summary>
    void Sampled(int step, IReadOnlyList<GrpoSample> samples);

    /// <summary>
    /// Changes that hold at a step, in the order in which they were asked for, as <see cref="ITrainingMethod.CheckEdit"/> wrote
    /// them: the newest wins. Those that have come since the last call are given to this step, for this run and for one that
    /// goes on from before it.
    /// </summary>
    /// <param name="step">The step about to begin, from 1.</param>
    /// <returns>None where nothing changes at this step, earlier ones included.</returns>
    IReadOnlyList<string> Edits(int step);

    /// <summary>A checkpoint was written; older ones that the method has removed are forgotten.</summary>
    /// <param name="step">Steps that it holds.</param>
    /// <param name="folder">Its folder.</param>
    void Saved(int step, string folder);
}
