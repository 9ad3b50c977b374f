using System.Diagnostics;
using System.Text.Json;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Training.Checkpoints;
using ToolN1.Training.Data;
using ToolN1.Training.Optimizers;
using ToolN1.Training.Packing;

namespace ToolN1.Training.Sft;

/// <summary>A supervised training run from configuration to Hugging Face folder.</summary>
public sealed class SftRun
{
    private readonly SftConfig _config;
    private readonly string _configFile;
    private readonly ISftObserver _observer;
    private readonly Action<Action> _turn;
    private readonly bool _isAlone;

    /// <summary>Prepares a run.</summary>
    /// <param name="config">Checked by <see cref="SftConfigReader"/>.</param>
    /// <param name="configFile">Named in errors.</param>
    /// <param name="observer">Told what happens.</param>
    /// <param name="turn">Runs a piece of a step, one micro-batch at most, where and when the device is free; null runs it at once.</param>
    public SftRun(SftConfig config, string configFile, ISftObserver observer, Action<Action>? turn = null)
    {
        _turn = turn ?? (work => work());
        _isAlone = turn is null;
        _config = config;
        _configFile = configFile;
        _observer = observer;
    }

    /// <summary>The finished model.</summary>
    public string ModelFolder => Path.Combine(_config.Output, "model");

    /// <summary>Whether there is a checkpoint to go on from.</summary>
    public bool CanResume => Checkpoints.List().Count > 0;

    private RunCheckpoints<SftState> Checkpoints => new(Path.Combine(_config.Output, RunCheckpointFiles.Folder), _config.KeepCheckpoints, SftStateJson.Default.SftState);

    /// <summary>Trains to the end, or until cancelled; either way the last step is in a checkpoint.</summary>
    /// <param name="resume">Goes on from the newest checkpoint. Without it an output folder that holds checkpoints is refused.</param>
    /// <param name="cancellationToken">Ends the run after the step in progress.</param>
    /// <returns>True when all steps are done and the model was written.</returns>
    /// <exception cref="TrainingConfigException">The configuration does not fit the files or the checkpoints.</exception>
    /// <exception cref="TrainingDataException">A rows file cannot be used.</exception>
    /// <exception cref="CheckpointException">A checkpoint cannot be used.</exception>
    /// <exception cref="NonFiniteTrainingException">Too many steps in a row were not finite.</exception>
    public bool Execute(bool resume, CancellationToken cancellationToken)
    {
        // 1. Model, optimizers, and where an earlier run stopped.
        using SftModel model = SftModel.Create(_config, _configFile);
        using SftStepper stepper = new(_config, model.Decoder, turn: _turn);
        RunCheckpoints<SftState> checkpoints = Checkpoints;
        SftState state = Begin(model, stepper, checkpoints, resume);
        int totalSteps = _config.Phases.Sum(phase => phase.Steps);
        LearningRateSchedule schedule = new(_config.Schedule.Kind, totalSteps, _config.Schedule.WarmupSteps, _config.Schedule.Minimum);
        Directory.CreateDirectory(_config.Output);
        using StreamWriter metrics = StepLines.Open(Path.Combine(_config.Output, "metrics.jsonl"), resume ? state.Step : null);
        _observer.Started(ModelTensors.CountParameters(model.Decoder.Config), state.Step, totalSteps);

        // 2. The phases, skipping what is done.
        int phaseEnd = 0;
        int savedStep = state.Step;
        for (int index = 0; index < _config.Phases.Count; index++)
        {
            int phaseStart = phaseEnd;
            phaseEnd += _config.Phases[index].Steps;
            if (state.Step >= phaseEnd)
            {
                continue;
            }

            if (state.Step == phaseStart)
            {
                (state.Epoch, state.Position) = (0, 0);
            }

            SftDataset data;
            try
            {
                data = SftDataset.Load(_config, index, model.Tokenizer, model.Format, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                break;
            }

            // What reading left behind goes back before tensors take as much again: steps make so little garbage that the collector
            // would come only long after them. Not where the process serves requests as well: such a collection stops all of its threads.
            if (_isAlone)
            {
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                NativeEnvironment.ReleaseFreedMemory();
            }

            _observer.PhaseLoaded(_config.Phases[index].Name, data.Summary);
            SftMeter meter = new(_config.Phases[index].Name, data.Summary.Groups);
            while (state.Step < phaseEnd && !cancellationToken.IsCancellationRequested)
            {
                Step(stepper, data, schedule, state, meter);
                _observer.Stepped(state.Step);
                if (state.Step % _config.LogEverySteps == 0 || state.Step == phaseEnd)
                {
                    SftStepResult result = meter.Take(state, schedule.Factor(state.Step));
                    metrics.WriteLine(JsonSerializer.Serialize(result, SftStateJson.Default.SftStepResult));
                    _observer.Measured(result);
                }

                if (state.Step % _config.CheckpointEverySteps == 0)
                {
                    Save(model, stepper, checkpoints, state);
                    savedStep = state.Step;
                }
            }
        }

        // 3. The end, of the run or of patience.
        if (savedStep != state.Step || state.Step == 0)
        {
            Save(model, stepper, checkpoints, state);
        }

        if (state.Step < totalSteps)
        {
            return false;
        }

        model.Export(ModelFolder);
        return true;
    }

    private SftState Begin(SftModel model, SftStepper stepper, RunCheckpoints<SftState> checkpoints, bool resume)
    {
        // Files are what they hold, wherever they lie by now.
        string identity = JsonSerializer.Serialize(
            _config with
            {
                Output = "",
                Init = _config.Init with { From = null, Tokenizer = Manifest.Checksum(Path.Combine(_config.Init.Tokenizer ?? _config.Init.From!, "tokenizer.json")) },
                Phases = [.. _config.Phases.Select(phase => phase with { Data = RunIdentity.Of(phase.Data) })],
            },
            SftConfigJson.Options);
        string startVersion = model.Decoder.WeightVersion;
        if (!resume)
        {
            return checkpoints.List().Count == 0
                ? new SftState { Config = identity, StartVersion = startVersion }
                : throw new TrainingConfigException(_configFile, $"field 'output': {_config.Output} holds checkpoints of an earlier run; resume it or choose another folder.");
        }

        SftState state = checkpoints.Restore([.. model.Decoder.NamedWeights()], stepper.Optimizers)
            ?? throw new TrainingConfigException(_configFile, $"field 'output': {_config.Output} holds no checkpoint to resume from.");
        RunIdentity.Require(_configFile, "init.from", _config.Init.From, (state.Config, state.StartVersion), (identity, startVersion));
        return state;
    }

    private void Step(SftStepper stepper, SftDataset data, LearningRateSchedule schedule, SftState state, SftMeter meter)
    {
        long begin = Stopwatch.GetTimestamp();
        DataCursor cursor = new() { Epoch = state.Epoch, Position = state.Position };
        List<RowGroup> groups = data.Draw(cursor, _config.TokensPerStep, _config.RowsPerStep ?? int.MaxValue);
        state.Step++;
        StepSums sums = stepper.Step(groups, Seeds.Combine(_config.Seed, state.Step), schedule.Factor(state.Step));
        double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        (state.Epoch, state.Position) = (cursor.Epoch, cursor.Position);
        state.Tokens += sums.Tokens;
        state.Seconds += seconds;
        meter.Add(sums, seconds);
        if (sums.IsFinite)
        {
            state.SkippedInARow = 0;
            return;
        }

        state.SkippedSteps++;
        state.SkippedInARow++;
        if (state.SkippedInARow > _config.MaxNonFiniteSteps)
        {
            throw new NonFiniteTrainingException(state.Step, state.SkippedInARow);
        }
    }

    private void Save(SftModel model, SftStepper stepper, RunCheckpoints<SftState> checkpoints, SftState state)
    {
        state.OptimizerUpdates = [.. stepper.Optimizers.Select(optimizer => optimizer.Updates)];
        checkpoints.Save([.. model.Decoder.NamedWeights()], stepper.Optimizers, state);
        _observer.Saved(state.Step, checkpoints.PathOf(state.Step));
    }
}
