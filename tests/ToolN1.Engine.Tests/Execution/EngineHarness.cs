using Microsoft.Extensions.Logging.Abstractions;
using ToolN1.Engine.Cache;
using ToolN1.Engine.Execution;
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
        Parts parts = Load(fixture, dtype, reference, options, kernel, attention);
        return InferenceEngine.Start(
            parts.Decoder, InferenceEngine.Describe(parts.Decoder, fixture), parts.Plan, options, parts.Attention, parts.Workers, NullLogger.Instance);
    }

    /// <summary>What an engine over a fixture runs its steps with, for a test that leads them itself (<see cref="ForcedDecoding"/>).</summary>
    public static (ModelRunner Runner, EnginePlan Plan) StartRunner(string fixture, ScalarType dtype, bool reference, EngineOptions options, PanelKernel? kernel)
    {
        Parts parts = Load(fixture, dtype, reference, options, kernel, null);
        KvCachePool pool = new(parts.Decoder.Config, parts.Plan.Blocks, parts.Plan.BlockSize, dtype, CPU);
        return (new ModelRunner(parts.Decoder, pool, parts.Attention, parts.Workers), parts.Plan);
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

    private static Parts Load(string fixture, ScalarType dtype, bool reference, EngineOptions options, PanelKernel? kernel, IAttentionBackend? attention)
    {
        Decoder decoder = CheckpointLoader.Load(GoldenModel.Load(fixture).Folder, CPU, dtype);
        EnginePlan plan = EnginePlan.Create(options, decoder.Config, dtype, CPU);
        WorkerPool? workers = reference ? null : new WorkerPool(2);
        attention ??= workers is null ? new SdpaPagedAttention() : new CpuPagedAttention(decoder.Config, workers);
        kernel ??= PanelKernel.For(dtype);
        if (workers is not null && kernel is not null)
        {
            PackedLinear.ReplaceAll(decoder, kernel, workers);
        }

        return new Parts(decoder, plan, attention, workers);
    }

    private sealed record Parts(Decoder Decoder, EnginePlan Plan, IAttentionBackend Attention, WorkerPool? Workers);

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
