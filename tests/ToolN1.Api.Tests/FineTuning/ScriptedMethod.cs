using System.Collections.Concurrent;
using System.Text.Json;
using ToolN1.Training.Jobs.Methods;

namespace ToolN1.Api.Tests.FineTuning;

/// <summary>A method that a test leads step by step: each step waits for a permit, each is a checkpoint.</summary>
internal sealed class ScriptedMethod : ITrainingMethod
{
    public string Name => "supervised";

    public int Steps { get; set; } = 3;

    /// <summary>Steps that may be taken, once <see cref="IsHeld"/>.</summary>
    public SemaphoreSlim Permits { get; } = new(0);

    /// <summary>Whether each step waits for a permit.</summary>
    public bool IsHeld { get; set; }

    /// <summary>Whether a run reports held-out figures before its first step.</summary>
    public bool EvaluatesFirst { get; set; }

    /// <summary>What a run that was stopped waits for before it ends; null for nothing.</summary>
    public Task? Ending { get; set; }

    /// <summary>Ends when a run has been stopped.</summary>
    public TaskCompletionSource Stopping { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Thrown by a run, in order.</summary>
    public ConcurrentQueue<Exception> Failures { get; } = [];

    /// <summary>Thrown when a job's values are looked at; null for nothing.</summary>
    public Exception? Refusal { get; set; }

    /// <summary>Training rows of each run.</summary>
    public ConcurrentQueue<string> Rows { get; } = [];

    /// <summary>Version of the start model that each run was given.</summary>
    public ConcurrentQueue<string?> StartVersions { get; } = [];

    /// <summary>What <see cref="ITrainingMethod.NeedsStartServed"/> says.</summary>
    public bool TrainsOverItsStart { get; set; }

    /// <summary>What <see cref="ITrainingMethod.Judge"/> says.</summary>
    public HeldOutJudge? HeldOutJudge { get; set; }

    public HeldOutJudge? Judge(string settings) => HeldOutJudge;

    public bool NeedsStartServed(string settings) => TrainsOverItsStart;

    public string Resolve(JsonElement settings, MethodInputs inputs) => Refusal is not null ? throw Refusal :
        """{"n_epochs":1,"batch_size":1,"learning_rate_multiplier":1,"checkpoint_every_steps":1,"live_share":0.5}""";

    public async Task<MethodResult?> RunAsync(MethodRun run, CancellationToken cancellationToken)
    {
        Rows.Enqueue(await File.ReadAllTextAsync(run.TrainingRows, CancellationToken.None));
        StartVersions.Enqueue(run.StartVersion);
        if (Failures.TryDequeue(out Exception? failure))
        {
            throw failure;
        }

        string state = Path.Combine(run.Folder, "step");
        int step = File.Exists(state) ? int.Parse(await File.ReadAllTextAsync(state, CancellationToken.None), System.Globalization.CultureInfo.InvariantCulture) : 0;
        run.Reporter.Started(step, Steps);
        if (EvaluatesFirst)
        {
            run.Reporter.Evaluated(0, "Before the first step.", new Dictionary<string, double> { ["valid_rate"] = 0.25 });
        }

        while (step < Steps)
        {
            try
            {
                await (IsHeld ? Permits.WaitAsync(cancellationToken) : Task.CompletedTask);
            }
            catch (OperationCanceledException)
            {
                Stopping.TrySetResult();
                await (Ending ?? Task.CompletedTask);
                return null;
            }

            step++;
            run.Reporter.Measured(step, step * 10, $"training loss={1.0 / step:F4}", new Dictionary<string, double> { ["train_loss"] = 1.0 / step, ["train_mean_token_accuracy"] = 0.5, ["grad_norm"] = double.NaN });
            string checkpoint = Path.Combine(run.Folder, "checkpoints", $"step-{step}");
            Directory.CreateDirectory(checkpoint);
            await File.WriteAllTextAsync(state, $"{step}", CancellationToken.None);
            run.Reporter.Saved(step, checkpoint);
        }

        string model = Path.Combine(run.Folder, "model");
        Directory.CreateDirectory(model);
        await File.WriteAllTextAsync(Path.Combine(model, "weights"), run.Name, CancellationToken.None);
        return new MethodResult(model, Steps);
    }

    public void Export(string settings, string checkpoint, string startFolder, string folder) => File.WriteAllText(Path.Combine(folder, "weights"), checkpoint);
}
