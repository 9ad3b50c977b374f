using ToolN1.Engine.Chat;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Engine.Tokenization;
using ToolN1.Engine.Weights;
using ToolN1.Training.Grpo;
using static TorchSharp.torch;

namespace ToolN1.Cli.Commands;

/// <summary>The engine that a GRPO run without a server samples from and trains on.</summary>
internal sealed class LocalGrpoEngine : IAsyncDisposable
{
    private readonly InferenceEngine _engine;

    private LocalGrpoEngine(InferenceEngine engine, GrpoHost host)
    {
        _engine = engine;
        Host = host;
    }

    /// <summary>What a run is given.</summary>
    public GrpoHost Host { get; }

    /// <summary>Loads the run's model and starts its engine.</summary>
    /// <param name="config">The run.</param>
    /// <param name="device">Where it runs.</param>
    /// <param name="plannedBytes">What the process is planned to take in the machine's memory; null where nobody compares.</param>
    public static LocalGrpoEngine Start(GrpoConfig config, Device device, long? plannedBytes)
    {
        Tokenizer tokenizer = Tokenizer.Load(config.Model);
        IChatFormat format = ChatFormats.Create(config.ChatFormat, config.Model, tokenizer);
        ModelConfig model = ModelConfig.Load(config.Model);
        Decoder decoder = CheckpointLoader.Load(config.Model, device, DTypeSelector.Select(config.Engine.DType, model.DeclaredDType, device));
        try
        {
            InferenceEngine engine = InferenceEngine.Start(decoder, InferenceEngine.Describe(decoder, Path.GetFileName(Path.TrimEndingDirectorySeparator(config.Model))), GrpoEngineOptions.Of(config, model));
            return new LocalGrpoEngine(engine, new GrpoHost(engine, engine.Host, tokenizer, format, decoder.WeightVersion, PlannedBytes: plannedBytes));
        }
        catch
        {
            decoder.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _engine.DisposeAsync();
}
