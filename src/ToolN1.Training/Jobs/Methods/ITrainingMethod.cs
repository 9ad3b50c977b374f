using System.Text.Json;
using ToolN1.Training.Grpo;
using ToolN1.Training.Planning;
using ToolN1.Training.Rewards;

namespace ToolN1.Training.Jobs.Methods;

/// <summary>A way to train. The worker runs whichever a job names; files, events, checkpoints and models are not its business.</summary>
public interface ITrainingMethod
{
    /// <summary>Its name in requests: <c>supervised</c>.</summary>
    string Name { get; }

    /// <summary>Checks what a job asks of it and resolves what it leaves open.</summary>
    /// <param name="settings">The method's own object of the request, of the shape that the API checked; undefined when absent.</param>
    /// <param name="inputs">What the job trains on.</param>
    /// <returns>The resolved settings, which <see cref="RunAsync"/> gets back, in this process or a later one.</returns>
    /// <exception cref="TrainingRefusedException">The job cannot run so; names the field.</exception>
    string Resolve(JsonElement settings, MethodInputs inputs);

    /// <summary>Trains to the end, or until cancelled; either way the last step is in a checkpoint. Goes on from the newest checkpoint in the job's folder.</summary>
    /// <param name="run">The job.</param>
    /// <param name="cancellationToken">Ends the run after the step in progress, with a checkpoint.</param>
    /// <returns>The finished model; null when cancelled before the end.</returns>
    Task<MethodResult?> RunAsync(MethodRun run, CancellationToken cancellationToken);

    /// <summary>Checks a change of a job's values, which holds from its next step on.</summary>
    /// <param name="settings">What <see cref="Resolve"/> returned.</param>
    /// <param name="edit">The values, of the shape that the API checked.</param>
    /// <returns>What <see cref="IJobReporter.Edits"/> gives back.</returns>
    /// <exception cref="TrainingRefusedException">The job cannot take it; names the field.</exception>
    string CheckEdit(string settings, JsonElement edit) =>
        throw new TrainingRefusedException($"The values of a '{Name}' job cannot be changed once it is made.", null, "not_editable") { IsConflict = true };

    /// <summary>What a job will need, in bytes by kind; null where that is not known.</summary>
    /// <param name="settings">What <see cref="Resolve"/> returned.</param>
    /// <param name="startFolder">Hugging Face folder that training starts from.</param>
    /// <param name="limit">Bytes there are; null asks the machine, or its GPU's driver.</param>
    MemoryCheck? Plan(string settings, string startFolder, long? limit) => null;

    /// <summary>Whether a job trains over the served weights of the model that it starts from, whichever model is live meanwhile.</summary>
    /// <param name="settings">What <see cref="Resolve"/> returned.</param>
    bool NeedsStartServed(string settings) => false;

    /// <summary>How held-out answers of a job are judged; null asks for exactly the row's calls.</summary>
    /// <param name="settings">What <see cref="Resolve"/> returned.</param>
    HeldOutJudge? Judge(string settings) => null;

    /// <summary>Writes the model of a checkpoint as a Hugging Face folder.</summary>
    /// <param name="settings">What <see cref="Resolve"/> returned.</param>
    /// <param name="checkpoint">The checkpoint's folder.</param>
    /// <param name="startFolder">The model that the job started from.</param>
    /// <param name="folder">An empty folder to fill.</param>
    void Export(string settings, string checkpoint, string startFolder, string folder);
}

/// <summary>What a method may look at before a job begins.</summary>
public sealed record MethodInputs
{
    /// <summary>Hugging Face folder that training starts from.</summary>
    public required string StartFolder { get; init; }

    /// <summary>Whether that is the model that answers requests which name no version.</summary>
    public required bool StartsLive { get; init; }

    /// <summary>Training rows.</summary>
    public required int Rows { get; init; }

    /// <summary>First line of the training file whose row has neither reasoning nor an answer in words; null when all have one.</summary>
    public required int? LineWithoutReasoning { get; init; }

    /// <summary>The uploaded training file; null where a job is planned that has none yet.</summary>
    public required string? TrainingFile { get; init; }

    /// <summary>The uploaded held-out file, or null.</summary>
    public required string? ValidationFile { get; init; }

    /// <summary>Where a job is planned that has no training file yet: tokens of its longest row; null leaves that to the method.</summary>
    public int? RowTokens { get; init; }
}

/// <summary>A finished model.</summary>
/// <param name="ModelFolder">A Hugging Face folder, or an adapter in PEFT's layout; the caller moves it.</param>
/// <param name="Step">Steps that it had done: fewer than the job's where an earlier checkpoint was better.</param>
public sealed record MethodResult(string ModelFolder, int Step);

/// <summary>Judges held-out answers.</summary>
/// <param name="Reward">Worth 1 or more: right.</param>
/// <param name="Key">Tells judges apart, for scores that are kept.</param>
/// <param name="Limits">How many answers are scored at once and how long one may take.</param>
public sealed record HeldOutJudge(IReward Reward, string Key, GrpoReward Limits);
