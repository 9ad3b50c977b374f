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

    private LocalGrpoEngine(InferenceEngine engine, GrpoHost host, Device device)
    {
        Device = device;
        _engine = engine;
        Host = host;
    }

    /// <summary>What a run is given.</summary>
    public GrpoHost Host { get; }

    /// <summary>Where it runs.</summary>
    public Device Device { get; }

    /// <summary>Loads the run's model and starts its engine.</summary>
    public static LocalGrpoEngine Start(GrpoConfig config)
    {
        Device device = DeviceSelector.Select(config.Engine.Device, "field 'engine.device'");
        Tokenizer tokenizer = Tokenizer.Load(config.Model);
        IChatFormat format = ChatFormats.Create(config.ChatFormat, config.Model, tokenizer);
        ModelConfig model = ModelConfig.Load(config.Model);
        Decoder decoder = CheckpointLoader.Load(config.Model, device, DTypeSelector.Select(config.Engine.DType, model.DeclaredDType, device));
        try
        {
            InferenceEngine engine = InferenceEngine.Start(decoder, InferenceEngine.Describe(decoder, Path.GetFileName(Path.TrimEndingDirectorySeparator(config.Model))), GrpoEngineOptions.Of(config, model));
            return new LocalGrpoEngine(engine, new GrpoHost(engine, engine.Host, tokenizer, format, decoder.WeightVersion), device);
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
