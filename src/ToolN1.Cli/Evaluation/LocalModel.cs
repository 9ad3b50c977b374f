using ToolN1.Engine;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Engine.Tokenization;
using ToolN1.Engine.Weights;
using ToolN1.Training.Evaluation.Harness;
using static TorchSharp.torch;

namespace ToolN1.Cli.Evaluation;

/// <summary>A checkpoint served in this process for an evaluation.</summary>
internal sealed class LocalModel : IAsyncDisposable
{
    private readonly InferenceEngine _engine;

    private LocalModel(InferenceEngine engine, Tokenizer tokenizer, IChatFormat format, int maxTokens, IReadOnlyDictionary<string, string> identity)
    {
        _engine = engine;
        Identity = identity;
        Model = new EngineEvaluationModel(engine, tokenizer, format, maxTokens);
    }

    /// <summary>The model to ask.</summary>
    public EngineEvaluationModel Model { get; }

    /// <summary>What its answers depend on: weights and the files beside them, device, dtype and chat format, as they were chosen.</summary>
    public IReadOnlyDictionary<string, string> Identity { get; }

    /// <summary>The engine's steps so far.</summary>
    public EngineSteps Steps
    {
        get
        {
            EngineSnapshot snapshot = _engine.Snapshot();
            return new EngineSteps(snapshot.Steps, snapshot.FullSteps);
        }
    }

    /// <summary>Loads a checkpoint and starts its engine.</summary>
    public static LocalModel Load(string folder, string device, string dtype, string chatFormat, int maxTokens, int batch)
    {
        Device where = DeviceSelector.Select(device, "--device");
        ModelConfig config = ModelConfig.Load(folder);
        Tokenizer tokenizer = Tokenizer.Load(folder);
        IChatFormat format = ChatFormats.Create(chatFormat, folder, tokenizer);
        Decoder decoder = CheckpointLoader.Load(folder, where, DTypeSelector.Select(dtype, config.DeclaredDType, where));
        try
        {
            Dictionary<string, string> identity = new()
            {
                ["weights"] = decoder.WeightVersion,
                ["model_files"] = FileHash.Of(folder, ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"]),
                ["device"] = decoder.Device.ToString(),
                ["dtype"] = decoder.DType.ToString(),
                ["chat_format"] = format.Name,
            };
            EngineOptions options = new() { MaxSequences = batch, MaxBatchedTokens = Math.Max(512, batch), MaxQueuedRequests = 4 * batch };
            InferenceEngine engine = InferenceEngine.Start(decoder, InferenceEngine.Describe(decoder, Path.GetFileName(folder)), options);
            return new LocalModel(engine, tokenizer, format, maxTokens, identity);
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
