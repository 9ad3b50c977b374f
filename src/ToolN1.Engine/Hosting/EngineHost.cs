using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Model;
using ToolN1.Engine.Tokenization;
using ToolN1.Engine.Weights;
using static TorchSharp.torch;

namespace ToolN1.Engine.Hosting;

/// <summary>
/// Loads the model and starts the engine before any hosted service starts, the web server included, so that the port opens
/// only over a model that has answered; drains the engine when the host stops.
/// </summary>
internal sealed class EngineHost(
    IOptions<ModelOptions> modelOptions, IOptions<EngineOptions> engineOptions, TimeProvider time, ILogger<InferenceEngine> logger)
    : IHostedLifecycleService
{
    private readonly Lock _gate = new();
    private InferenceEngine? _engine;
    private ServedModel? _model;

    /// <summary>The engine; loads the model when nothing has yet.</summary>
    public InferenceEngine Engine
    {
        get
        {
            Load();
            return _engine!;
        }
    }

    /// <summary>The model; loads it when nothing has yet.</summary>
    public ServedModel Model
    {
        get
        {
            Load();
            return _model!;
        }
    }

    /// <inheritdoc/>
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        // A first generation pages weights in and compiles the hot code; a model that cannot answer stops the start.
        GenerationRequest warmUp = new()
        {
            RequestId = "warm-up",
            PromptTokenIds = [0],
            MaxNewTokens = Math.Min(2, Model.Info.MaxModelLength - 1),
            Sampling = new() { Temperature = 0, IgnoreEndOfSequence = true },
        };
        await foreach (GenerationUpdate update in Engine.Generate(warmUp, cancellationToken).ConfigureAwait(false))
        {
            _ = update;
        }
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_engine is not null)
        {
            await _engine.StopAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void Load()
    {
        lock (_gate)
        {
            if (_engine is not null)
            {
                return;
            }

            // 1. Everything that needs no weights, so that mistakes show at once.
            ModelOptions options = modelOptions.Value;
            string folder = ModelFolder.Resolve(options.Path, Environment.CurrentDirectory, AppContext.BaseDirectory);
            Device device = DeviceSelector.Select(options.Device);
            ModelConfig config = ModelConfig.Load(folder);
            ScalarType dtype = DTypeSelector.Select(options.DType, config.DeclaredDType, device);
            EnginePlan.Create(engineOptions.Value, config, dtype, device);
            Tokenizer tokenizer = Tokenizer.Load(folder);
            IChatFormat format = ChatFormats.Create(options.ChatFormat, folder, tokenizer);
            if (tokenizer.VocabularySize > config.VocabularySize)
            {
                throw new CheckpointException(
                    Path.Combine(folder, "tokenizer.json"), $"has ids up to {tokenizer.VocabularySize - 1}, but the model's vocab_size is {config.VocabularySize}.");
            }

            // 2. Weights, then the engine, which owns them.
            Decoder decoder = CheckpointLoader.Load(folder, device, dtype);
            try
            {
                ModelInfo info = InferenceEngine.Describe(decoder, options.Name ?? Path.GetFileName(folder));
                InferenceEngine engine = InferenceEngine.Start(decoder, info, engineOptions.Value, logger);
                _model = new ServedModel(engine.Model, tokenizer, format, folder, time.GetUtcNow())
                {
                    Device = device.ToString(),
                    DType = SafetensorsDTypes.TorchNameOf(dtype),
                };
                _engine = engine;
            }
            catch
            {
                decoder.Dispose();
                throw;
            }
        }
    }
}
