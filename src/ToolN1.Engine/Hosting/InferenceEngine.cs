using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ToolN1.Engine.Cache;
using ToolN1.Engine.Diagnostics;
using ToolN1.Engine.Execution;
using ToolN1.Engine.Kernels;
using ToolN1.Engine.Model;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Scheduling;
using static TorchSharp.torch;

namespace ToolN1.Engine.Hosting;

/// <summary>
/// Serves one decoder with continuous batching over a paged cache. The only engine there is: the server, training and the
/// command line all start it here.
/// </summary>
public sealed class InferenceEngine : IInferenceEngine, IAsyncDisposable
{
    private readonly EngineLoop _loop;
    private readonly ModelInfo _model;
    private ModelHost? _host;

    private InferenceEngine(EngineLoop loop, ModelInfo model, int blockSize)
    {
        _loop = loop;
        _model = model;
        BlockSize = blockSize;
    }

    /// <inheritdoc/>
    public ModelInfo Model => _loop.LiveVersion == _model.WeightVersion ? _model : _model with { WeightVersion = _loop.LiveVersion };

    /// <summary>The weights it serves, by version.</summary>
    public IModelHost Host => _host ?? throw new InvalidOperationException("This engine computes nothing; it has no weights.");

    private int BlockSize { get; }

    /// <summary>What a decoder's checkpoint says about itself, under a name of the caller's choice.</summary>
    public static ModelInfo Describe(Decoder decoder, string name) => new(
        name, decoder.Config.MaxPositionEmbeddings, decoder.Config.VocabularySize, decoder.Config.EndOfSequenceIds, decoder.WeightVersion);

    /// <summary>Whether an engine repacks the weights that it serves, so that they cannot be shared with anything that reads them as they were.</summary>
    /// <param name="config">The model.</param>
    /// <param name="dtype">The serving dtype.</param>
    /// <param name="device">Where it serves.</param>
    public static bool Packs(ModelConfig config, ScalarType dtype, Device device) =>
        CpuPagedAttention.Supports(config, dtype, device) && PanelKernel.For(dtype) is not null;

    /// <summary>
    /// Starts an engine. On most CPUs it repacks the decoder's projections for our own kernels (see docs/numerics.md).
    /// </summary>
    /// <param name="decoder">The model; the engine owns it from now on and frees it when it ends.</param>
    /// <param name="info">What callers are told (see <see cref="Describe"/>); its length is lowered to what the cache can hold.</param>
    /// <param name="options">Limits.</param>
    /// <param name="logger">Where faults are told; null for nowhere.</param>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">A limit contradicts another, the model or the cache; the decoder stays the caller's.</exception>
    public static InferenceEngine Start(Decoder decoder, ModelInfo info, EngineOptions options, ILogger<InferenceEngine>? logger = null)
    {
        EnginePlan plan = EnginePlan.Create(options, decoder.Config, decoder.DType, decoder.Device);
        WorkerPool? workers = CpuPagedAttention.Supports(decoder.Config, decoder.DType, decoder.Device) ? new WorkerPool(get_num_threads()) : null;
        IAttentionBackend attention = workers is not null ? new CpuPagedAttention(decoder.Config, workers)
            : decoder.Device.type == TorchSharp.DeviceType.CPU ? new SdpaPagedAttention() : new BatchedPagedAttention();
        if (workers is not null && PanelKernel.For(decoder.DType) is PanelKernel kernel)
        {
            PackedLinear.ReplaceAll(decoder, kernel, workers);
        }

        return Start(decoder, info, plan, options, attention, workers, logger);
    }

    internal static InferenceEngine Start(
        Decoder decoder, ModelInfo info, EnginePlan plan, EngineOptions options, IAttentionBackend attention, WorkerPool? workers, ILogger? logger)
    {
        KvCachePool pool = new(decoder.Config, plan.Blocks, plan.BlockSize, decoder.DType, decoder.Device);
        ModelInfo model = info with { MaxModelLength = Math.Min(info.MaxModelLength, plan.MaxModelLength) };
        ILogger log = logger ?? NullLogger.Instance;
        EngineLog.Serving(
            log, model.Name, decoder.DType.ToString(), decoder.Device.ToString(), attention.GetType().Name, plan.Blocks, plan.BlockSize, model.MaxModelLength);
        ModelRunner runner = new(decoder, pool, attention, workers);
        InferenceEngine engine = Start(runner, model, plan, options, log);
        engine._host = new ModelHost(engine._loop, runner, decoder, log);
        return engine;
    }

    internal static InferenceEngine Start(IStepRunner runner, ModelInfo model, EnginePlan plan, EngineOptions options, ILogger logger)
    {
        BlockAllocator allocator = new(plan.Blocks);
        PrefixCache? prefixCache = options.EnablePrefixCache ? new PrefixCache(plan.Blocks) : null;
        Scheduler scheduler = new(new SchedulerLimits(plan.MaxSequences, plan.MaxBatchedTokens), allocator, prefixCache);
        return new InferenceEngine(new EngineLoop(runner, scheduler, allocator, options.MaxQueuedRequests, model.WeightVersion, logger), model, plan.BlockSize);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<GenerationUpdate> Generate(GenerationRequest request, CancellationToken cancellationToken)
    {
        Check(request);
        long seed = request.Sampling.Seed ?? BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long)));
        SamplerState sampler = new(request.Sampling, request.PromptTokenIds, Model.EndOfSequenceIds, seed);
        RequestState state = new(new Sequence(request, sampler, BlockSize));
        _loop.Submit(state);
        return Read(state, cancellationToken.UnsafeRegister(_ => _loop.Cancel(state), null), CancellationToken.None);
    }

    /// <inheritdoc/>
    public EngineSnapshot Snapshot() => _loop.Snapshot;

    /// <summary>Refuses new requests and waits until those in flight have ended.</summary>
    /// <param name="cancellationToken">Ends the waiting: what is still in flight is then cancelled, which takes a step at most.</param>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _loop.BeginDrain();
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(_ => _loop.Abort(), null);
        await _loop.Stopped.ConfigureAwait(false);
    }

    /// <summary>Cancels what is in flight and frees the model.</summary>
    public async ValueTask DisposeAsync()
    {
        _loop.Abort();
        await _loop.Stopped.ConfigureAwait(false);
    }

    private async IAsyncEnumerable<GenerationUpdate> Read(
        RequestState state, CancellationTokenRegistration registration, [EnumeratorCancellation] CancellationToken enumeration)
    {
        // A cancelled request still gets its last update, within a step; only the enumerator's own token ends the waiting.
        try
        {
            while (await state.Output.Reader.WaitToReadAsync(enumeration).ConfigureAwait(false))
            {
                while (state.Output.Reader.TryRead(out GenerationUpdate? update))
                {
                    yield return update;
                }
            }
        }
        finally
        {
            await registration.DisposeAsync().ConfigureAwait(false);
            _loop.Cancel(state);
        }
    }

    private void Check(GenerationRequest request)
    {
        request.Sampling.Validate();
        if (request.PromptTokenIds.Count == 0)
        {
            throw new ArgumentException("The prompt is empty.", nameof(request));
        }

        if (request.MaxNewTokens < 0)
        {
            throw new ArgumentException($"MaxNewTokens must not be negative: {request.MaxNewTokens}.", nameof(request));
        }

        if (request.PromptLogProbs is < 0 or > 20)
        {
            throw new ArgumentException($"PromptLogProbs must be between 0 and 20: {request.PromptLogProbs}.", nameof(request));
        }

        if ((long)request.PromptTokenIds.Count + request.MaxNewTokens > Model.MaxModelLength)
        {
            throw new ArgumentException(
                $"{request.PromptTokenIds.Count} prompt tokens and {request.MaxNewTokens} new ones exceed the model's length of {Model.MaxModelLength}.", nameof(request));
        }

        if (request.WeightVersion is string version && _host?.Knows(version) != true)
        {
            throw new ArgumentException($"There is no weight version '{version}'.", nameof(request));
        }

        CheckIds(request.PromptTokenIds, "The prompt");
        CheckIds(request.Sampling.StopTokenIds, nameof(SamplingParameters.StopTokenIds));
        CheckIds(request.Sampling.LogitBias?.Keys ?? [], nameof(SamplingParameters.LogitBias));
    }

    private void CheckIds(IEnumerable<int> ids, string what)
    {
        foreach (int id in ids)
        {
            if (id < 0 || id >= Model.VocabularySize)
            {
                throw new ArgumentException($"{what} names token {id}, which is outside the vocabulary of {Model.VocabularySize}.", nameof(ids));
            }
        }
    }
}
