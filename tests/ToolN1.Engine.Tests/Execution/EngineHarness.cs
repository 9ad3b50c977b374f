using Microsoft.Extensions.Logging.Abstractions;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Kernels;
using ToolN1.Engine.Model;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Weights;
using ToolN1.TestSupport;
using static TorchSharp.torch;

namespace ToolN1.Engine.Tests.Execution;

/// <summary>Engines over the small fixtures, and whole generations from them.</summary>
internal static class EngineHarness
{
    /// <summary>An engine over a fixture, by libtorch alone or with every kernel of our own, the ones given or the default of dtype and CPU.</summary>
    public static InferenceEngine Start(
        string fixture, ScalarType dtype = ScalarType.Float32, bool reference = false, EngineOptions? options = null, PanelKernel? kernel = null, IAttentionBackend? attention = null)
    {
        options ??= new EngineOptions();
        Decoder decoder = CheckpointLoader.Load(GoldenModel.Load(fixture).Folder, CPU, dtype);
        EnginePlan plan = EnginePlan.Create(options, decoder.Config, dtype, CPU);
        WorkerPool? workers = reference ? null : new WorkerPool(2);
        attention ??= workers is null ? new SdpaPagedAttention() : new CpuPagedAttention(decoder.Config, workers);
        kernel ??= PanelKernel.For(dtype);
        if (workers is not null && kernel is not null)
        {
            PackedLinear.ReplaceAll(decoder, kernel, workers);
        }

        return InferenceEngine.Start(
            decoder, InferenceEngine.Describe(decoder, fixture), plan, options, attention, workers, NullLogger.Instance);
    }

    /// <summary>An engine over a fixture as the server starts it on a GPU.</summary>
    public static InferenceEngine StartOnGpu(string fixture, ScalarType dtype, EngineOptions options)
    {
        Decoder decoder = CheckpointLoader.Load(GoldenModel.Load(fixture).Folder, CUDA, dtype);
        return InferenceEngine.Start(decoder, InferenceEngine.Describe(decoder, fixture), options);
    }

    public static GenerationRequest Request(IReadOnlyList<int> prompt, int maxNewTokens, SamplingParameters? sampling = null, int? promptLogProbs = null) => new()
    {
        RequestId = Guid.NewGuid().ToString(),
        PromptTokenIds = prompt,
        MaxNewTokens = maxNewTokens,
        Sampling = sampling ?? SamplingParameters.Greedy,
        PromptLogProbs = promptLogProbs,
    };

    /// <summary>Reads a generation to its end.</summary>
    public static async Task<Generated> Collect(IAsyncEnumerable<GenerationUpdate> updates)
    {
        Generated generated = new();
        await foreach (GenerationUpdate update in updates)
        {
            generated.Tokens.AddRange(update.TokenIds);
            generated.LogProbs.AddRange(update.LogProbs ?? []);
            generated.PromptLogProbs ??= update.PromptLogProbs;
            generated.CachedPromptTokens = update.CachedPromptTokens;
            generated.StopTokenId = update.StopTokenId;
            if (update.FinishReason is { } reason)
            {
                generated.Reasons.Add(reason);
            }
        }

        return generated;
    }

    public static Task<Generated> Run(IInferenceEngine engine, GenerationRequest request) =>
        Collect(engine.Generate(request, TestContext.Current.CancellationToken));

    internal sealed class Generated
    {
        public List<int> Tokens { get; } = [];

        public List<TokenLogProb> LogProbs { get; } = [];

        public IReadOnlyList<TokenLogProb?>? PromptLogProbs { get; set; }

        public List<FinishReason> Reasons { get; } = [];

        public int CachedPromptTokens { get; set; }

        public int? StopTokenId { get; set; }
    }
}
