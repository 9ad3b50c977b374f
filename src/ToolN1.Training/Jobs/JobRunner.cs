using System.Globalization;
using Microsoft.EntityFrameworkCore;
using ToolN1.Engine;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Execution;
using ToolN1.Engine.Tokenization;
using ToolN1.Training.Evaluation;
using ToolN1.Training.Jobs.Methods;
using ToolN1.Training.Jobs.Models;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Training.Jobs;

/// <summary>Takes one job from its rows to its registered, measured model, from the beginning or from its last checkpoint. Its status is the worker's.</summary>
internal sealed class JobRunner(
    TrainingStore store, TrainingFiles files, ModelCatalog catalog, HeldOut heldOut, IEnumerable<ITrainingMethod> methods,
    IInferenceEngine engine, IModelHost host, Tokenizer tokenizer, IChatFormat format)
{
    private const int SamplesKept = 32;

    /// <summary>Trains, registers and measures the model.</summary>
    /// <param name="job">The job.</param>
    /// <param name="cancellationToken">Stops it at a checkpoint of its last whole step.</param>
    /// <returns>The model; null where the method has stopped.</returns>
    /// <exception cref="OperationCanceledException">It was stopped outside of its steps.</exception>
    public async Task<ModelRecord?> RunAsync(JobRecord job, CancellationToken cancellationToken)
    {
        // 1. What it trains on and from.
        ITrainingMethod method = methods.FirstOrDefault(item => item.Name == job.Method)
            ?? throw new TrainingRefusedException($"This server has no training method '{job.Method}'.", "method.type");
        HeldOutJudge? judge = method.Judge(job.Settings);
        (string rows, int leftOut) = JobFolders.PrepareRows(store, files, job, judgesWords: judge is not null);
        (_, string startFolder) = await catalog.ResolveFolderAsync(job.StartModel, isChecked: true).ConfigureAwait(false);

        // Another model may be live by now: what an adapter stands on is served until its job has ended.
        using ModelUse? start = method.NeedsStartServed(job.Settings) ? await catalog.UseWholeAsync(job.StartModel, cancellationToken).ConfigureAwait(false) : null;
        JobReporter reporter = new(store, job.Id);
        if (leftOut > 0)
        {
            reporter.Message("warn", $"{leftOut} held-out rows are answered in words, which exact match cannot judge; they are left out.");
        }

        // 2. The training.
        MethodResult? result = await method.RunAsync(
            new MethodRun
            {
                Name = string.Create(CultureInfo.InvariantCulture, $"job-{job.Number}"),
                Settings = job.Settings,
                Seed = job.Seed,
                Folder = JobFolders.Of(store, job.Id),
                StartFolder = startFolder,
                StartVersion = start?.WeightVersion,
                TrainingRows = rows,
                HeldOutRows = JobFolders.HeldOutRows(store, job.Id),
                Engine = engine,
                Models = host,
                Tokenizer = tokenizer,
                Format = format,
                Reporter = reporter,
            },
            cancellationToken).ConfigureAwait(false);
        if (result is null)
        {
            return null;
        }

        // 3. The model, and how it does on what it has not seen.
        ModelRecord model = await catalog.RegisterAsync(job, result.Step, result.ModelFolder, cancellationToken).ConfigureAwait(false);
        if (JobFolders.HeldOutRows(store, job.Id) is string unseen)
        {
            await MeasureAsync(job, model, unseen, judge, reporter, cancellationToken).ConfigureAwait(false);
        }

        return model;
    }

    private async Task MeasureAsync(JobRecord job, ModelRecord model, string rows, HeldOutJudge? judge, JobReporter reporter, CancellationToken cancellationToken)
    {
        using ModelUse before = await catalog.UseWholeAsync(job.StartModel, cancellationToken).ConfigureAwait(false);
        using ModelUse now = await catalog.UseAsync(model.Name, cancellationToken).ConfigureAwait(false);
        (HeldOutScore first, _) = await heldOut.ScoreAsync(rows, before.WeightVersion!, judge, cancellationToken).ConfigureAwait(false);

        // The score may be known without them: of a checkpoint that was promoted, or from before the server was killed.
        bool hasSamples = await store.ReadAsync(context => context.Samples.AnyAsync(
            item => item.JobId == job.Id && item.Step == model.Step && item.Kind == SampleKind.HeldOut, cancellationToken)).ConfigureAwait(false);
        (HeldOutScore last, IReadOnlyList<EvaluationCase> cases) = await heldOut.ScoreAsync(rows, now.WeightVersion!, judge, wantsCases: !hasSamples, cancellationToken).ConfigureAwait(false);
        store.Write(context =>
        {
            if (cases.Count > 0)
            {
                context.Samples.Where(item => item.JobId == job.Id && item.Step == model.Step && item.Kind == SampleKind.HeldOut).ExecuteDelete();
            }

            int rollouts = context.Samples.Count(item => item.JobId == job.Id && item.Step == model.Step);
            context.Samples.AddRange(cases.Take(SamplesKept).Select(item => new SampleRecord
            {
                JobId = job.Id,
                Step = model.Step,
                Place = rollouts + item.Index,
                Kind = SampleKind.HeldOut,
                Request = item.Request.Storable(),
                Expected = item.Expected.Storable(),
                Completion = item.Output.Storable(),
                Reward = item.Correct ? 1 : 0,
                Failure = item.Failure?.Storable(),
            }));
        });
        string measure = judge is null ? "exact match" : "answers of full reward";
        reporter.Message("info", first.Unscored + last.Unscored == 0
            ? $"Held-out {measure}: {first.Correct} of {first.Rows} rows before, {last.Correct} now."
            : $"Held-out {measure}: {first.Correct} of {first.Rows} rows before, {last.Correct} of {last.Rows} now; {first.Unscored} before and {last.Unscored} now could not be scored.");
    }
}
