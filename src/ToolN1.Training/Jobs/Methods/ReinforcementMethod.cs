using System.Text.Json;
using System.Text.Json.Nodes;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Engine.Tokenization;
using ToolN1.Training.Checkpoints;
using ToolN1.Training.Data;
using ToolN1.Training.Graders;
using ToolN1.Training.Grpo;
using ToolN1.Training.Planning;
using ToolN1.Training.Rewards;

namespace ToolN1.Training.Jobs.Methods;

/// <summary>
/// Reinforcement: groups of answers sampled from the serving engine itself, scored by a grader, and the policy moved towards
/// what was better than its group (<see cref="GrpoRun"/>), in turns of one micro-batch between the engine's steps.
/// </summary>
internal sealed class ReinforcementMethod(ServedModel served, JobPlanner planner) : ITrainingMethod
{
    /// <inheritdoc/>
    public string Name => "reinforcement";

    /// <inheritdoc/>
    public string Resolve(JsonElement settings, MethodInputs inputs)
    {
        ReinforcementSettings resolved = ReinforcementSettings.Resolve(settings, inputs, served.Info.MaxModelLength);
        if (ConfigOf(resolved.Write(), inputs.StartFolder).Lora is not null && !inputs.StartsLive)
        {
            throw new TrainingRefusedException("'lora': adapters are trained over the weights that are served; promote the model first, or leave out 'lora'.", "model");
        }

        GraderReward? reward;
        try
        {
            reward = Reward(resolved, served.Tokenizer, served.Format, served.Info.EndOfSequenceIds);
        }
        catch (GraderException error)
        {
            throw new TrainingRefusedException($"Invalid value for {error.Message}.", error.Path, error.Unsupported ? "unsupported_parameter" : "invalid_value");
        }

        // A plan that has no data yet is about memory: what judges takes none.
        if (inputs.TrainingFile is not null && reward is null && !ToolCallTraining.CanBeEarned(served.Format))
        {
            throw new TrainingRefusedException(
                $"The prompts of this server's chat_format '{served.Format.Name}' {ToolCallTraining.OtherFormat}. Serve the model with ToolN1:Model:ChatFormat 'tool-n1', or give 'method.reinforcement.grader'.",
                "grader");
        }

        RowLengths? prompts = inputs.TrainingFile is null ? null : MeasurePrompts(CheckedRows(inputs.TrainingFile, "training_file", reward), ConfigOf(resolved.Write(), inputs.StartFolder));
        _ = inputs.ValidationFile is null ? 0 : CheckedRows(inputs.ValidationFile, "validation_file", reward).Count();
        return resolved.With(prompts).Write();
    }

    /// <inheritdoc/>
    public MemoryCheck? Plan(string settings, string startFolder, long? limit) =>
        planner.Plan(ConfigOf(settings, startFolder), ReinforcementSettings.Read(settings).Prompts, startFolder, limit);

    /// <inheritdoc/>
    public bool NeedsStartServed(string settings) => ConfigOf(settings, "-").Lora is not null;

    /// <inheritdoc/>
    public HeldOutJudge? Judge(string settings)
    {
        ReinforcementSettings read = ReinforcementSettings.Read(settings);
        return Reward(read, served.Tokenizer, served.Format, served.Info.EndOfSequenceIds) is GraderReward reward
            ? new HeldOutJudge(reward, read.Grader!.ToJsonString(), ConfigOf(settings, "-").Reward)
            : null;
    }

    /// <inheritdoc/>
    public string CheckEdit(string settings, JsonElement edit)
    {
        GrpoEdit values = edit.Deserialize(ReinforcementJson.Default.GrpoEdit)!;
        try
        {
            values.Check(ConfigOf(settings, "-"));
        }
        catch (GrpoEditException error)
        {
            throw new TrainingRefusedException(error.Message, error.Field);
        }

        return JsonSerializer.Serialize(values, ReinforcementJson.Default.GrpoEdit);
    }

    /// <inheritdoc/>
    public async Task<MethodResult?> RunAsync(MethodRun run, CancellationToken cancellationToken)
    {
        ReinforcementSettings settings = ReinforcementSettings.Read(run.Settings);
        GrpoConfig config = settings.Config(new ReinforcementFiles(run.Folder, run.StartFolder, run.TrainingRows, run.HeldOutRows, run.Seed)) with { ChatFormat = run.Format.Name };
        ReinforcementObserver observer = new(run.Reporter);
        GrpoHost host = new(run.Engine, run.Models, run.Tokenizer, run.Format, run.StartVersion, served.Info.Name, planner.MachineBytes(config, settings.Prompts, run.StartFolder));
        IReward? reward = Reward(settings, run.Tokenizer, run.Format, run.Engine.Model.EndOfSequenceIds);
        GrpoRun training = new(config, run.Name, host, observer, run.Name, reward, reward);
        observer.Run = training;
        GrpoOutcome outcome = await training.ExecuteAsync(training.CanResume, cancellationToken).ConfigureAwait(false);
        if (outcome == GrpoOutcome.Stopped)
        {
            return null;
        }

        if (config.Lora is null)
        {
            return new MethodResult(training.ModelFolder, training.ModelStep!.Value);
        }

        // The adapter alone is served, over the weights that are there; whoever wants it merged asks for that.
        Directory.Delete(training.ModelFolder, recursive: true);
        return new MethodResult(Path.Combine(config.Output, "adapter"), training.ModelStep!.Value);
    }

    /// <inheritdoc/>
    public void Export(string settings, string checkpoint, string startFolder, string folder)
    {
        GrpoConfig config = ConfigOf(settings, startFolder);
        if (config.Lora is GrpoLora lora)
        {
            PeftFolder.WriteCheckpoint(checkpoint, folder, lora, served.Info.Name);
            return;
        }

        CheckpointModel.Write(checkpoint, startFolder, folder, served.Format, DTypeSelector.Select(config.ExportDType, ModelConfig.Load(startFolder).DeclaredDType, TorchSharp.torch.CPU));
    }

    /// <summary>The run, where its files do not matter.</summary>
    private static GrpoConfig ConfigOf(string settings, string startFolder) => ReinforcementSettings.Read(settings).Config(new ReinforcementFiles("-", startFolder, "-", null, 0));

    private static GraderReward? Reward(ReinforcementSettings settings, Tokenizer tokenizer, IChatFormat format, IReadOnlyList<int> endOfSequence) =>
        settings.Grader is not JsonObject grader ? null
        : new GraderReward(
            GraderReader.Read(JsonSerializer.SerializeToElement(grader, ReinforcementJson.Default.JsonObject)),
            format,
            [.. format.StopTokens, .. endOfSequence.Select(id => tokenizer.Decode([id], skipSpecial: false)).Where(text => text.Length > 0)]);

    /// <summary>What a plan has to know of the prompts: the longest of them, with its answer, is a micro-batch however few tokens that may have.</summary>
    private RowLengths MeasurePrompts(IEnumerable<TrainingRow> rows, GrpoConfig config)
    {
        int longest = Math.Min(config.MaxPromptTokens, served.Info.MaxModelLength - config.MaxResponseTokens);
        RowLengths prompts = RowLengths.Measure(rows, row => served.Format.Render(row.Conversation, row.Tools, addGenerationPrompt: true).Encode(served.Tokenizer).Length, longest);
        return prompts.Count > 0 ? prompts : throw new TrainingRefusedException(
            $"The training file has no row whose prompt has at most {longest} tokens, which is what 'max_prompt_tokens' and the model's context leave of it.", "training_file", "invalid_training_file");
    }

    private static IEnumerable<TrainingRow> CheckedRows(string file, string field, GraderReward? reward)
    {
        foreach ((int line, TrainingRow row) in DatasetReader.Read(file))
        {
            string? fault = reward is not null ? reward.Fault(row) : CallRows.Fault(row) is string known ? known + ": give 'method.reinforcement.grader'" : null;
            if (fault is not null)
            {
                throw new TrainingRefusedException($"Line {line} of the {field}: {fault}.", field, "invalid_" + field);
            }

            yield return row;
        }
    }
}
