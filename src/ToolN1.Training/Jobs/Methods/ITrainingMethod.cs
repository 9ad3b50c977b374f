using System.Text.Json;

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
    /// <returns>The finished model's folder; null when cancelled before the end.</returns>
    Task<string?> RunAsync(MethodRun run, CancellationToken cancellationToken);

    /// <summary>Writes the model of a checkpoint as a Hugging Face folder.</summary>
    /// <param name="checkpoint">The checkpoint's folder.</param>
    /// <param name="startFolder">The model that the job started from.</param>
    /// <param name="folder">An empty folder to fill.</param>
    void Export(string checkpoint, string startFolder, string folder);
}

/// <summary>What a method may look at before a job begins.</summary>
/// <param name="StartFolder">Hugging Face folder that training starts from.</param>
/// <param name="Rows">Training rows.</param>
/// <param name="LineWithoutReasoning">First line of the training file whose row has no reasoning; null when all have.</param>
public sealed record MethodInputs(string StartFolder, int Rows, int? LineWithoutReasoning);
