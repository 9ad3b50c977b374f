using ToolN1.Engine;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Engine.Tokenization;
using ToolN1.Engine.Weights;
using ToolN1.Training.Evaluation.Harness;
using static TorchSharp.torch;

namespace ToolN1.Cli.Evaluation;

/// <summary>A checkpoint served in this process for an evaluation, with a sampled measure of how full its batch was.</summary>
internal sealed class LocalModel : IAsyncDisposable
{
    private static readonly TimeSpan SampleInterval = TimeSpan.FromMilliseconds(100);

    private readonly InferenceEngine _engine;
    private readonly int _fullBatch;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _sampling;
    private long _steps;
    private long _fullSteps;

    private LocalModel(InferenceEngine engine, Tokenizer tokenizer, IChatFormat format, int maxTokens, int batch)
    {
        _engine = engine;
        _fullBatch = batch;
        Model = new EngineEvaluationModel(engine, tokenizer, format, maxTokens);
        _sampling = SampleAsync();
    }

    /// <summary>The model to ask.</summary>
    public EngineEvaluationModel Model { get; }

    /// <summary>Of the engine steps between samples 100 ms apart, the share at whose end the batch was full.</summary>
    public double FullBatchShare => _steps == 0 ? 0 : _fullSteps / (double)_steps;

    /// <summary>Loads a checkpoint and starts its engine.</summary>
    public static LocalModel Load(string folder, string device, string dtype, string chatFormat, int maxTokens, int batch)
    {
        Device where = DeviceSelector.Select(device);
        ModelConfig config = ModelConfig.Load(folder);
        Tokenizer tokenizer = Tokenizer.Load(folder);
        IChatFormat format = ChatFormats.Create(chatFormat, folder, tokenizer);
        Decoder decoder = CheckpointLoader.Load(folder, where, DTypeSelector.Select(dtype, config.DeclaredDType, where));
        try
        {
            EngineOptions options = new() { MaxSequences = batch, MaxBatchedTokens = Math.Max(512, batch), MaxQueuedRequests = 4 * batch };
            InferenceEngine engine = InferenceEngine.Start(decoder, InferenceEngine.Describe(decoder, Path.GetFileName(folder)), options);
            return new LocalModel(engine, tokenizer, format, maxTokens, batch);
        }
        catch
        {
            decoder.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _sampling.ConfigureAwait(false);
        await _engine.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task SampleAsync()
    {
        long before = _engine.Snapshot().Steps;
        using PeriodicTimer timer = new(SampleInterval);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
            {
                EngineSnapshot now = _engine.Snapshot();
                _steps += now.Steps - before;
                _fullSteps += now.RunningSequences >= _fullBatch ? now.Steps - before : 0;
                before = now.Steps;
            }
        }
        catch (OperationCanceledException)
        {
            // The run is over.
        }
    }
}
