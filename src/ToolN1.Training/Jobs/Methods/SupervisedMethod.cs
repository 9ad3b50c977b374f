using System.Globalization;
using System.Text.Json;
using ToolN1.Engine.Execution;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Training.Data;
using ToolN1.Training.Planning;
using ToolN1.Training.Sft;
using static TorchSharp.torch;

namespace ToolN1.Training.Jobs.Methods;

/// <summary>
/// Supervised training: the reasoning and the calls of each row are taught token by token (<see cref="SftRun"/>), in turns of
/// one micro-batch between the engine's steps.
/// </summary>
internal sealed class SupervisedMethod(ServedModel served, JobPlanner planner) : ITrainingMethod
{
    /// <summary>Tokens of a turn: a fifth of a second for the embedded model on two cores, and no longer pause for requests.</summary>
    private const int TurnTokens = 1024;

    /// <summary>The learning rate at a width of 256; wider models take proportionally less.</summary>
    private const double BaseLearningRate = 2e-4;

    /// <inheritdoc/>
    public string Name => "supervised";

    /// <inheritdoc/>
    public string Resolve(JsonElement settings, MethodInputs inputs)
    {
        if (inputs.LineWithoutReasoning is int line)
        {
            throw new TrainingRefusedException(
                $"Line {line} of the training file has neither 'think' nor 'reply': supervised training needs the reasoning, or the words, to teach.", "training_file", "invalid_training_file");
        }

        if (inputs.ValidationFile is not null)
        {
            CheckHeldOut(inputs.ValidationFile);
        }

        JsonElement given = settings.ValueKind == JsonValueKind.Object && settings.TryGetProperty("hyperparameters", out JsonElement inner) ? inner : default;
        int epochs = (int)(Number(given, "n_epochs") ?? 3);
        int batch = (int)(Number(given, "batch_size") ?? Math.Clamp(inputs.Rows / 100, 1, 32));
        double multiplier = Number(given, "learning_rate_multiplier") ?? 1;
        long steps = Math.Max(1, (((long)epochs * inputs.Rows) + batch - 1) / batch);
        if (steps > int.MaxValue)
        {
            throw new TrainingRefusedException($"{steps} steps are more than a job can have; ask for fewer epochs or greater batches.", "n_epochs");
        }

        ModelConfig model = ModelConfig.Load(inputs.StartFolder);
        SupervisedSettings resolved = new(
            epochs, batch, multiplier,
            (int)(Number(given, "checkpoint_every_steps") ?? Math.Max(1, (steps + 3) / 4)),
            Number(given, "live_share") ?? 0.5,
            (int)steps,
            BaseLearningRate * multiplier * 256 / model.HiddenSize,
            inputs.TrainingFile is null ? RowsOf(inputs.RowTokens ?? TurnTokens, inputs.Rows) : Measure(inputs.TrainingFile, MaxTokens(model)));
        return JsonSerializer.Serialize(resolved, MethodJson.Default.SupervisedSettings);
    }

    /// <inheritdoc/>
    public MemoryCheck? Plan(string settings, string startFolder, long? limit)
    {
        SupervisedSettings read = JsonSerializer.Deserialize(settings, MethodJson.Default.SupervisedSettings)!;
        SftConfig config = ConfigOf(new SupervisedFiles("-", startFolder, "-", 0, served.Format.Name), read, planner.Device, ModelConfig.Load(startFolder));
        return planner.Plan(config, read.Rows, startFolder, limit);
    }

    /// <inheritdoc/>
    public async Task<MethodResult?> RunAsync(MethodRun run, CancellationToken cancellationToken)
    {
        SupervisedSettings settings = JsonSerializer.Deserialize(run.Settings, MethodJson.Default.SupervisedSettings)!;
        await using ModelLease lease = run.Models.Lease(run.Name, settings.LiveShare);
        SftConfig config = ConfigOf(new SupervisedFiles(run.Folder, run.StartFolder, run.TrainingRows, run.Seed, run.Format.Name), settings, lease.Device, lease.Config);
        SftConfigReader.Validate(config, run.Name);

        // A step that has begun is brought to its end: its turns ask nobody.
        void Turn(Action work) => lease.TurnAsync(work, CancellationToken.None).GetAwaiter().GetResult();
        SftRun training = new(config, run.Name, new Observer(run.Reporter), Turn);
        bool finished = await Task.Factory.StartNew(
            () => training.Execute(training.CanResume, cancellationToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
        return finished ? new MethodResult(training.ModelFolder, settings.Steps) : null;
    }

    /// <inheritdoc/>
    public void Export(string settings, string checkpoint, string startFolder, string folder) => CheckpointModel.Write(checkpoint, startFolder, folder, served.Format);

    private static SftConfig ConfigOf(SupervisedFiles files, SupervisedSettings settings, Device device, ModelConfig model) => new()
    {
        Output = files.Output,
        Seed = files.Seed,
        Init = new SftInit { From = files.Model },
        Phases = [new SftPhase { Name = "training", Data = [files.TrainingRows], Steps = settings.Steps, MaxTokens = MaxTokens(model) }],
        Optimizer = new SftOptimizer { LearningRate = settings.LearningRate },
        Schedule = new SftSchedule { WarmupSteps = Math.Min(20, settings.Steps / 10) },

        // Rows alone make a step, so that an epoch is one; neighbours with the same tools would otherwise be drawn together.
        TokensPerStep = int.MaxValue,
        RowsPerStep = settings.BatchSize,
        SharedPrefixRows = 1,
        MicroBatchTokens = TurnTokens,
        Device = device.type == TorchSharp.DeviceType.CUDA ? $"cuda:{Math.Max(0, device.index)}" : "cpu",
        CheckpointEverySteps = settings.CheckpointEverySteps,
        KeepCheckpoints = 3,
        LogEverySteps = 1,
        ChatFormat = files.ChatFormat,
    };

    /// <summary>Tokens of the longest row that is not left out.</summary>
    private static int MaxTokens(ModelConfig model) => Math.Max(2, model.MaxPositionEmbeddings);

    /// <summary>Rows that are all alike.</summary>
    private static RowLengths RowsOf(int tokens, int count) => new(count, tokens, (long)tokens * count);

    /// <summary>What a plan has to know of the rows: the longest of them alone may be what needs most.</summary>
    private RowLengths Measure(string file, int maxTokens)
    {
        RowEncoder encoder = new(served.Tokenizer, served.Format, isShort: false);
        RowLengths rows = RowLengths.Measure(DatasetReader.Read(file).Select(item => item.Row), row => encoder.EncodePrompt(row).Length + encoder.EncodeAnswer(row).Length, maxTokens);
        return rows.Count > 0 ? rows : throw new TrainingRefusedException(
            $"The training file has no row of at most {maxTokens} tokens, which is the model's context.", "training_file", "invalid_training_file");
    }

    /// <summary>Held-out answers are judged by the row's calls; rows that are answered in words are left out of the job's copy.</summary>
    private static void CheckHeldOut(string file)
    {
        bool hasCalls = false;
        foreach ((int line, TrainingRow row) in DatasetReader.Read(file))
        {
            if (row.Item is not null)
            {
                throw new TrainingRefusedException(
                    $"Line {line} of the validation_file: it is a prompt with reference fields, which exact match cannot judge.", "validation_file", "invalid_validation_file");
            }

            hasCalls |= row.Reply is null;
        }

        if (!hasCalls)
        {
            throw new TrainingRefusedException("The validation_file has answers in words only, which exact match cannot judge.", "validation_file", "invalid_validation_file");
        }
    }

    private static double? Number(JsonElement settings, string name) =>
        settings.ValueKind == JsonValueKind.Object && settings.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    /// <summary>Where a job's run reads and writes.</summary>
    private sealed record SupervisedFiles(string Output, string Model, string TrainingRows, int Seed, string ChatFormat);

    /// <summary>Passes on what a run tells.</summary>
    private sealed class Observer(IJobReporter reporter) : ISftObserver
    {
        public void Started(long parameters, int doneSteps, int totalSteps) => reporter.Started(doneSteps, totalSteps);

        public void PhaseLoaded(string phase, SftDatasetSummary summary)
        {
            reporter.Message("info", $"Training on {summary.RowsKept} of {summary.RowsRead} rows, {summary.Tokens} tokens a pass.");
            if (summary.TooLong > 0)
            {
                reporter.Message("warn", $"{summary.TooLong} rows are longer than the model's context and are left out.");
            }
        }

        public void Stepped(int step)
        {
            // Every step is measured too.
        }

        public void Measured(SftStepResult result) => reporter.Measured(result.Step, result.Tokens, $"training loss={Rounded(result.AnswerLoss)}", new Dictionary<string, double>
        {
            ["train_loss"] = result.AnswerLoss,
            ["train_mean_token_accuracy"] = result.TokenAccuracy,
            ["train_mean_row_accuracy"] = result.AnswerAccuracy,
            ["objective"] = result.Loss,
            ["grad_norm"] = result.GradientNorm,
            ["learning_rate_factor"] = result.ScheduleFactor,
            ["tokens_per_second"] = result.TokensPerSecond,
            ["skipped_steps"] = result.SkippedSteps,
            ["epoch"] = result.Epoch,
        });

        public void Saved(int step, string folder) => reporter.Saved(step, folder);

        private static string Rounded(double value) => double.IsFinite(value) ? value.ToString("F4", CultureInfo.InvariantCulture) : "not finite";
    }
}
