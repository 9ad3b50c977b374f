using System.Diagnostics;
using System.Text.Json;
using ToolN1.Engine;
using ToolN1.Engine.Execution;
using ToolN1.Engine.Model;
using ToolN1.Training.Checkpoints;
using ToolN1.Training.Data;
using ToolN1.Training.Evaluation;
using ToolN1.Training.Optimizers;
using ToolN1.Training.Rewards;
using ToolN1.Training.Rollouts;

namespace ToolN1.Training.Grpo;

/// <summary>
/// A GRPO run over a serving engine, from configuration to Hugging Face folder. Rollouts are requests like any others; the
/// trainer works in turns of one micro-batch on the engine's thread, between which the engine decodes.
/// </summary>
/// <remarks>
/// A step's rollouts have all ended before its updates begin, and the new weights are published after the last of these, so
/// every response is sampled by one weight version from beginning to end, the one that the step improves.
/// </remarks>
public sealed class GrpoRun
{
    private readonly GrpoConfig _config;
    private readonly string _configFile;
    private readonly GrpoHost _host;
    private readonly IGrpoObserver _observer;
    private readonly IReward _reward;
    private readonly IReward? _heldOutReward;
    private readonly string _name;
    private readonly RunCheckpoints<GrpoState> _checkpoints;
    private readonly int _nominalUpdates;
    private readonly Lock _editGate = new();
    private GrpoEdit? _edit;
    private GrpoEdit? _savedEdit;
    private bool _memoryAlarmed;

    /// <summary>Prepares a run.</summary>
    /// <param name="config">Checked by <see cref="GrpoConfigReader"/>.</param>
    /// <param name="configFile">Named in errors.</param>
    /// <param name="host">Where it samples and trains.</param>
    /// <param name="observer">Told what happens.</param>
    /// <param name="name">Part of the weight versions that it publishes.</param>
    /// <param name="reward">What responses are worth; null for the configuration's.</param>
    /// <param name="heldOutReward">Says which held-out answers are right, those worth 1 or more; null asks for exactly the row's calls.</param>
    public GrpoRun(GrpoConfig config, string configFile, GrpoHost host, IGrpoObserver observer, string name = "train", IReward? reward = null, IReward? heldOutReward = null)
    {
        _heldOutReward = heldOutReward;
        _config = config;
        _configFile = configFile;
        _host = host;
        _observer = observer;
        _name = name;
        _reward = reward ?? new ToolCallTraining(config.Reward.Kind == "partial", config.Reward.RequireThink, config.Reward.LenientNumbers);
        _checkpoints = new RunCheckpoints<GrpoState>(Path.Combine(config.Output, RunCheckpointFiles.Folder), config.Checkpoints.Keep, GrpoJson.Default.GrpoState);
        _nominalUpdates = GrpoStepPlan.NominalUpdates(config);
    }

    /// <summary>The finished model.</summary>
    public string ModelFolder => Path.Combine(_config.Output, "model");

    /// <summary>Whether an earlier execution left a checkpoint to go on from.</summary>
    public bool CanResume => _checkpoints.List().Count > 0;

    /// <summary>Steps that the model written last had done; null before the end of a run.</summary>
    public int? ModelStep { get; private set; }

    /// <summary>Changes values from the next step on. Safe to call from any thread; part of every checkpoint from then on.</summary>
    /// <exception cref="ArgumentException">A value is out of range, or the run cannot take it; names it.</exception>
    public void Change(GrpoEdit edit)
    {
        edit.Check(_config);
        lock (_editGate)
        {
            _edit = _edit is null ? edit : edit.Over(_edit);
        }
    }

    /// <summary>Trains to the end, or until cancelled; either way the last step is in a checkpoint.</summary>
    /// <param name="resume">Goes on from the newest checkpoint. Without it an output folder that holds checkpoints is refused.</param>
    /// <param name="cancellationToken">Ends the run: at once while it samples, after the step where it trains.</param>
    /// <returns>How it ended.</returns>
    /// <exception cref="TrainingConfigException">The configuration does not fit the files, the engine or the checkpoints.</exception>
    /// <exception cref="TrainingDataException">A rows file cannot be used.</exception>
    /// <exception cref="CheckpointException">A checkpoint cannot be used.</exception>
    /// <exception cref="NonFiniteTrainingException">Too many updates in a row were not finite.</exception>
    /// <exception cref="EngineFaultException">The engine failed.</exception>
    /// <exception cref="EngineOverloadedException">The engine is stopping.</exception>
    public async Task<GrpoOutcome> ExecuteAsync(bool resume, CancellationToken cancellationToken)
    {
        // 1. Data, policy, optimizer, and where an earlier run stopped.
        CheckFits();
        PromptDataset data = PromptDataset.Load(_config, _host.Tokenizer, _host.Format, _host.Engine.Model.MaxModelLength, needsCalls: _reward is ToolCallTraining, cancellationToken);
        (IReadOnlyList<(string Set, IReadOnlyList<TrainingRow> Rows)> heldOut, int heldOutInWords) = ReadHeldOut();
        await using ModelLease lease = _host.Models.Lease(_name, _config.Engine.LiveShare, _host.StartVersion);

        // Until it is published it is nobody else's, and reading it takes no turn: requests are answered meanwhile.
        (Policy policy, PolicyUpdater updater) = await Task.Run(() => Load(lease), cancellationToken).ConfigureAwait(false);
        try
        {
            GrpoState state = await Task.Run(() => Begin(policy, updater, resume), cancellationToken).ConfigureAwait(false);
            _savedEdit = state.Edit;
            using RewardPool pool = _config.Reward.PoolOf(_reward);
            using RewardPool? judge = _heldOutReward is null ? null : _config.Reward.PoolOf(_heldOutReward);
            RolloutSampler sampler = new(_config, _host.Engine, _host.Tokenizer, StopTokens(), pool);
            int totalSteps = _config.Steps ?? StepsOf(_config.Epochs!.Value, data.Count);
            LearningRateSchedule schedule = Schedule(totalSteps);
            Directory.CreateDirectory(_config.Output);
            using StreamWriter metrics = StepLines.Open(Path.Combine(_config.Output, "metrics.jsonl"), resume ? state.Step : null);
            using StreamWriter samples = StepLines.Open(Path.Combine(_config.Output, "samples.jsonl"), resume ? state.Step : null);

            // One that was broken off left lines of some sets and is done again as a whole.
            using StreamWriter evaluations = StepLines.Open(Path.Combine(_config.Output, "evaluations.jsonl"), resume ? state.EvaluatedStep ?? -1 : null);
            _observer.Started(new GrpoStart(
                ModelTensors.CountParameters(lease.Config), policy.Parameters.Sum(item => item.Tensor.numel()), data.Count, data.TooLong, data.InWords, heldOutInWords, state.Step, totalSteps, state.TrainedTokens));

            if (_config.Sampling.TopP < 1 || _config.Sampling.TopK > 0)
            {
                _observer.Alarmed(new GrpoAlarm(state.Step, "truncated_sampling", "sampling.top_p and top_k cut tokens off, but log-probabilities are those of the whole distribution; set them to 1 and 0 to train on what is sampled", false));
            }

            // 2. The initial policy, measured; or what an earlier execution was stopped from measuring.
            await policy.PublishAsync(lease, cancellationToken).ConfigureAwait(false);
            Session session = new(lease, policy, updater, data, sampler, schedule, heldOut, judge, metrics, samples, evaluations);
            try
            {
                if (IsEvaluationDue(session, state, totalSteps))
                {
                    await EvaluateAsync(session, state, cancellationToken).ConfigureAwait(false);
                    Save(session, state);
                }

                // 3. The steps.
                while (state.Step < totalSteps && !state.EndedByAlarm)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    Apply(state);
                    state.EndedByAlarm = await StepAsync(session, state, cancellationToken).ConfigureAwait(false);
                    bool isLast = state.EndedByAlarm || state.Step == totalSteps;
                    bool improved = IsEvaluationDue(session, state, totalSteps) && await EvaluateAsync(session, state, cancellationToken).ConfigureAwait(false);
                    if (improved || isLast || state.Step % _config.Checkpoints.EverySteps == 0)
                    {
                        Save(session, state);
                    }
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // What was asked for since the last checkpoint holds after a resumption too.
                Apply(state);
                if (state.Edit != _savedEdit || _checkpoints.List() is not [.., string newest] || newest != _checkpoints.PathOf(state.Step))
                {
                    Save(session, state);
                }

                return GrpoOutcome.Stopped;
            }

            // 4. The model.
            ModelStep = state.EndedByAlarm ? Restore(session, FallbackStep(state) ?? state.Step, state.Step) : state.Step;
            policy.Export(_config.Output, _host.Format, _host.BaseName ?? _config.Model);
            return state.EndedByAlarm ? GrpoOutcome.EndedByAlarm : GrpoOutcome.Finished;
        }
        finally
        {
            updater.Dispose();
            policy.Dispose();
        }
    }

    private async Task<bool> StepAsync(Session session, GrpoState state, CancellationToken cancellationToken)
    {
        long begin = Stopwatch.GetTimestamp();
        int step = state.Step + 1;
        double klCoefficient = state.Edit.KlCoefficient ?? _config.Loss.KlCoefficient;
        double? klCeiling = state.Edit.KlCeiling ?? _config.Alarms.KlCeiling;
        string version = session.Lease.WorkingVersion!;

        // 1. Rollouts, and more of them for groups that teach nothing.
        DataCursor cursor = new() { Epoch = state.Epoch, Position = state.Position };
        List<RolloutGroup> rollouts = [];
        int refills = -1;
        int missing = _config.PromptsPerStep;
        PhaseClock clock = new();
        while (missing > 0 && refills < _config.Loss.MaxRefills)
        {
            refills++;
            List<PromptRow> prompts = session.Data.Draw(cursor, missing);
            rollouts.AddRange(await SampleAsync(session, state, prompts, version, Seeds.Combine(Seeds.Combine(_config.Seed, step), refills), clock, cancellationToken).ConfigureAwait(false));
            missing = _config.PromptsPerStep - rollouts.Count(group => !GrpoStepPlan.IsDropped(_config.Loss, group));
        }

        // 2. Advantages, and the updates that they make. From here on the step is finished, whoever cancels.
        List<ResponseGroup> groups = GrpoStepPlan.Groups(_config.Loss, rollouts);
        List<ResponseGroup[]> updates = groups.Count == 0 ? [] : GrpoStepPlan.Updates(_config, groups);
        PolicyMeter meter = new();
        double? lastRate = null;
        await ScoreAsync(session, groups, needsOld: updates.Count > 1, needsReference: klCoefficient > 0 || (klCeiling is not null && session.Policy.HasReference), clock).ConfigureAwait(false);
        for (int update = 0; update < updates.Count; update++)
        {
            double rate = session.Schedule.Factor(((step - 1) * _nominalUpdates) + Math.Min(update, _nominalUpdates - 1) + 1) * (state.Edit.LearningRate ?? _config.Optimizer.LearningRate);
            bool moved = await UpdateAsync(session, updates[update], klCoefficient, rate / _config.Optimizer.LearningRate, meter, clock).ConfigureAwait(false);
            CountFinite(state, step, moved);
            lastRate = rate;
        }

        // 3. The new weights sample from now on.
        if (meter.Updates > 0)
        {
            await clock.TimeAsync(Phase.Publish, () => session.Policy.PublishAsync(session.Lease, CancellationToken.None)).ConfigureAwait(false);
        }

        // 4. The books.
        state.Step = step;
        (state.Epoch, state.Position) = (cursor.Epoch, cursor.Position);
        state.TrainedTokens += meter.PassTokens;
        state.GeneratedTokens += rollouts.SelectMany(group => group.Rollouts).Sum(rollout => (long)rollout.Tokens.Length);
        double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        state.Seconds += seconds;
        GrpoStepResult result = GrpoStepReport.Create(
            _config, state, state.Epoch + ((double)state.Position / session.Data.Count), version, rollouts, groups.Count, refills, meter, klCoefficient, lastRate, clock.Seconds(seconds));
        await session.Metrics.WriteLineAsync(JsonSerializer.Serialize(result, GrpoJson.Lines.GrpoStepResult)).ConfigureAwait(false);
        _observer.Stepped(result);
        await LogSamplesAsync(session, step, rollouts).ConfigureAwait(false);
        GrpoAlarm[] alarms = [.. GrpoStepReport.Alarms(_config, result, klCeiling, session.HeldOut.Count > 0, _checkpoints.NewestBefore(step), _memoryAlarmed ? null : _host.PlannedBytes)];
        foreach (GrpoAlarm alarm in alarms)
        {
            _memoryAlarmed |= alarm.Kind == GrpoStepReport.Memory;
            _observer.Alarmed(alarm);
        }

        return alarms.Any(alarm => alarm.EndsRun);
    }

    private async Task<RolloutGroup[]> SampleAsync(Session session, GrpoState state, List<PromptRow> prompts, string version, int seed, PhaseClock clock, CancellationToken cancellationToken)
    {
        int total = prompts.Count * _config.GroupSize;
        int done = 0;
        long lastToken = Stopwatch.GetTimestamp();
        long begin = lastToken;
        RolloutGroup[] groups = await session.Sampler.SampleAsync(
            prompts, version, seed, state.Edit.MaxResponseTokens ?? _config.MaxResponseTokens,
            generated: () => Volatile.Write(ref lastToken, Stopwatch.GetTimestamp()),
            ended: () => _observer.Progressed("generate", Interlocked.Increment(ref done), total), cancellationToken).ConfigureAwait(false);
        clock.Add(Phase.Generate, Stopwatch.GetElapsedTime(begin, lastToken));
        clock.Add(Phase.Reward, Stopwatch.GetElapsedTime(lastToken));
        return groups;
    }

    private async Task ScoreAsync(Session session, List<ResponseGroup> groups, bool needsOld, bool needsReference, PhaseClock clock)
    {
        if (groups.Count == 0 || (!needsOld && !needsReference))
        {
            return;
        }

        List<ResponseBatch> batches = ResponseBatch.Split(groups, _config.MicroBatchTokens);
        for (int i = 0; i < batches.Count; i++)
        {
            ResponseBatch batch = batches[i];
            if (needsOld)
            {
                await clock.TimeAsync(Phase.Score, () => session.Lease.TurnAsync(() => session.Updater.ScoreOld(batch), CancellationToken.None)).ConfigureAwait(false);
            }

            if (needsReference)
            {
                await clock.TimeAsync(Phase.Score, () => session.Lease.TurnAsync(() => session.Updater.ScoreReference(batch), CancellationToken.None)).ConfigureAwait(false);
            }

            _observer.Progressed("score", i + 1, batches.Count);
        }
    }

    private async Task<bool> UpdateAsync(Session session, ResponseGroup[] groups, double klCoefficient, double rateFactor, PolicyMeter meter, PhaseClock clock)
    {
        PolicyUpdater.SetWeights(_config, groups);
        List<ResponseBatch> batches = ResponseBatch.Split(groups, _config.MicroBatchTokens);
        bool moved = false;
        await clock.TimeAsync(Phase.Train, async () =>
        {
            await session.Lease.TurnAsync(session.Updater.Begin, CancellationToken.None).ConfigureAwait(false);
            for (int i = 0; i < batches.Count; i++)
            {
                ResponseBatch batch = batches[i];
                await session.Lease.TurnAsync(() => session.Updater.Accumulate(batch, klCoefficient, meter), CancellationToken.None).ConfigureAwait(false);
                _observer.Progressed("train", i + 1, batches.Count);
            }

            moved = await session.Lease.TurnAsync(() => session.Updater.Finish(rateFactor, meter), CancellationToken.None).ConfigureAwait(false);
        }).ConfigureAwait(false);
        return moved;
    }

    private void CountFinite(GrpoState state, int step, bool moved)
    {
        if (moved)
        {
            state.SkippedInARow = 0;
            return;
        }

        state.SkippedUpdates++;
        state.SkippedInARow++;
        bool ends = state.SkippedInARow > _config.Alarms.MaxNonFiniteUpdates;
        _observer.Alarmed(new GrpoAlarm(step, "non_finite", $"an update's loss or gradient is not finite; it was skipped, the {state.SkippedInARow}th in a row", ends));
        if (ends)
        {
            throw new NonFiniteTrainingException(step, state.SkippedInARow);
        }
    }

    private bool IsEvaluationDue(Session session, GrpoState state, int totalSteps) =>
        session.HeldOut.Count > 0 && state.EvaluatedStep != state.Step
        && (state.Step == totalSteps || state.EndedByAlarm || state.Step % _config.Evaluation.EverySteps == 0);

    /// <summary>Answers the held-out sets.</summary>
    /// <returns>Whether this is the best policy so far.</returns>
    private async Task<bool> EvaluateAsync(Session session, GrpoState state, CancellationToken cancellationToken)
    {
        int correct = 0;
        int rows = 0;
        foreach ((string set, IReadOnlyList<TrainingRow> setRows) in session.HeldOut)
        {
            RowEvaluator evaluator = new(_host.Engine, _host.Tokenizer, _host.Format) { MaxNewTokens = _config.MaxResponseTokens, WeightVersion = session.Lease.WorkingVersion, Priority = RequestPriority.Background, Judge = session.Judge };
            IReadOnlyList<EvaluationCase> cases = await evaluator.EvaluateAsync(set, setRows, cancellationToken).ConfigureAwait(false);
            Dictionary<string, int> errors = GrpoStepReport.CountErrors(cases.Select(item => item.Failure));
            int unscored = errors.Values.Sum();
            WilsonInterval interval = new(cases.Count(item => item.Correct), cases.Count - unscored);
            GrpoEvaluation evaluation = new(state.Step, set, interval.Successes, interval.Cases, unscored, interval.Cases == 0 ? null : interval.Low, interval.Cases == 0 ? null : interval.High);
            await session.Evaluations.WriteLineAsync(JsonSerializer.Serialize(evaluation, GrpoJson.Lines.GrpoEvaluation)).ConfigureAwait(false);
            _observer.Evaluated(evaluation);
            if (unscored > 0)
            {
                _observer.Alarmed(GrpoStepReport.RewardErrors(state.Step, $"{unscored} of {cases.Count} answers to {set}", errors));
            }

            correct += interval.Successes;
            rows += interval.Cases;
        }

        state.EvaluatedStep = state.Step;
        double score = (double)correct / rows;
        if (rows == 0 || (state.BestStep is not null && score <= state.BestScore))
        {
            return false;
        }

        (state.BestStep, state.BestScore) = (state.Step, score);
        return true;
    }

    private async Task LogSamplesAsync(Session session, int step, List<RolloutGroup> groups)
    {
        // The first response of the first groups: a fixed choice, so that steps can be compared.
        GrpoSample[] samples = [.. groups.Take(_config.SamplesLogged).Select(group => new GrpoSample(
            step, group.Prompt.Index, group.Prompt.Row.Messages[^1].Content ?? string.Empty, TrainingRowWriter.ToExpected(group.Prompt.Row), group.Rollouts[0].Completion, group.Rollouts[0].Tokens.Length,
            group.Rollouts[0].Outcome.Score?.Total, group.Rollouts[0].Outcome.Failure, [.. group.Rollouts.Select(rollout => rollout.Outcome.Score?.Total)]))];
        foreach (GrpoSample sample in samples)
        {
            await session.Samples.WriteLineAsync(JsonSerializer.Serialize(sample, GrpoJson.Lines.GrpoSample)).ConfigureAwait(false);
        }

        _observer.Sampled(samples);
    }

    private void CheckFits()
    {
        int length = _host.Engine.Model.MaxModelLength;
        if (_config.MaxResponseTokens >= length)
        {
            throw new TrainingConfigException(_configFile, $"field 'max_response_tokens': {_config.MaxResponseTokens} leaves no room for a prompt in the {length} tokens that the engine takes.");
        }

        if (_reward is ToolCallTraining && !ToolCallTraining.CanBeEarned(_host.Format))
        {
            throw new TrainingConfigException(_configFile, $"field 'chat_format': the prompts of '{_host.Format.Name}' {ToolCallTraining.OtherFormat}; use 'tool-n1'.");
        }
    }

    private (Policy Policy, PolicyUpdater Updater) Load(ModelLease lease)
    {
        Policy policy;
        try
        {
            policy = Policy.Create(_config, lease, _host.StartVersion);
        }
        catch (InvalidOperationException error)
        {
            throw new TrainingConfigException(_configFile, $"field 'model': {error.Message}", error);
        }

        try
        {
            return (policy, new PolicyUpdater(_config, policy));
        }
        catch
        {
            policy.Dispose();
            throw;
        }
    }

    private GrpoState Begin(Policy policy, PolicyUpdater updater, bool resume)
    {
        // Files are what they hold, wherever they lie by now.
        string identity = GrpoConfigReader.Write(_config with
        {
            Output = "",
            Model = "",
            Data = RunIdentity.Of(_config.Data),
            Evaluation = _config.Evaluation with { Data = RunIdentity.Of(_config.Evaluation.Data) },
        });
        string startVersion = policy.Decoder.WeightVersion;
        if (!resume)
        {
            return _checkpoints.List().Count == 0
                ? new GrpoState { Config = identity, StartVersion = startVersion }
                : throw new TrainingConfigException(_configFile, $"field 'output': {_config.Output} holds checkpoints of an earlier run; resume it or choose another folder.");
        }

        GrpoState state = _checkpoints.Restore(policy.Parameters, updater.Optimizers)
            ?? throw new TrainingConfigException(_configFile, $"field 'output': {_config.Output} holds no checkpoint to resume from.");
        RunIdentity.Require(_configFile, "model", _config.Model, (state.Config, state.StartVersion), (identity, startVersion));
        return state;
    }

    private void Apply(GrpoState state)
    {
        lock (_editGate)
        {
            state.Edit = _edit?.Over(state.Edit) ?? state.Edit;
            _edit = null;
        }
    }

    private void Save(Session session, GrpoState state)
    {
        // Nobody else touches the run's own tensors between turns, so writing them stalls no request.
        state.OptimizerUpdates = [.. session.Updater.Optimizers.Select(optimizer => optimizer.Updates)];
        _checkpoints.Save(session.Policy.Parameters, session.Updater.Optimizers, state, FallbackStep(state) is int fallback ? [fallback] : []);
        _savedEdit = state.Edit;
        _observer.Saved(state.Step, _checkpoints.PathOf(state.Step));
    }

    /// <summary>The step that is left of a run that an alarm ends: the best one, and where nothing was measured the newest from before the alarm.</summary>
    private int? FallbackStep(GrpoState state) => state.BestStep ?? (state.EndedByAlarm ? _checkpoints.NewestBefore(state.Step) : null);

    private int Restore(Session session, int step, int presentStep)
    {
        if (step != presentStep)
        {
            _checkpoints.Restore(_checkpoints.PathOf(step), session.Policy.Parameters, []);
        }

        return step;
    }

    private int StepsOf(int epochs, int rows)
    {
        long steps = Math.Max(1, (long)epochs * rows / _config.PromptsPerStep);
        return GrpoConfigReader.HasUpdates(_config, steps)
            ? (int)steps
            : throw new TrainingConfigException(_configFile, $"field 'epochs' must be small enough that a run has at most {int.MaxValue} updates: {epochs} over {rows} rows are {steps} steps.");
    }

    private LearningRateSchedule Schedule(int totalSteps)
    {
        int updates = totalSteps * _nominalUpdates;
        return new LearningRateSchedule(_config.Schedule.Kind, updates, (int)Math.Ceiling(updates * _config.Schedule.WarmupFraction), _config.Schedule.Minimum);
    }

    private (IReadOnlyList<(string Set, IReadOnlyList<TrainingRow> Rows)> Sets, int InWords) ReadHeldOut()
    {
        List<(string, IReadOnlyList<TrainingRow>)> sets = [];
        int inWords = 0;
        foreach (string file in _config.Evaluation.Data)
        {
            TrainingRow[] rows = _heldOutReward is null ? CallRows.Take(file, _config.Evaluation.MaxRows, ref inWords) : [.. TrainingRowReader.Read(file).Take(_config.Evaluation.MaxRows)];
            if (rows.Length == 0)
            {
                throw new TrainingConfigException(_configFile, $"field 'evaluation.data': {file} has no rows{(_heldOutReward is null ? " with calls" : string.Empty)}.");
            }

            sets.Add((Path.GetFileNameWithoutExtension(file), rows));
        }

        return (sets, inWords);
    }

    private IReadOnlyList<int> StopTokens() => [.. _host.Format.StopTokens.Select(_host.Tokenizer.FindAddedToken).OfType<int>()];

    /// <summary>What the steps of one execution share.</summary>
    private sealed record Session(
        ModelLease Lease, Policy Policy, PolicyUpdater Updater, PromptDataset Data, RolloutSampler Sampler, LearningRateSchedule Schedule,
        IReadOnlyList<(string Set, IReadOnlyList<TrainingRow> Rows)> HeldOut, RewardPool? Judge, StreamWriter Metrics, StreamWriter Samples, StreamWriter Evaluations);
}
