using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training.Grpo;

/// <summary>What a run will need, in bytes by kind, at its peak.</summary>
/// <param name="Items">Kinds and bytes; they add up to <see cref="Total"/>.</param>
public sealed record GrpoMemoryPlan(IReadOnlyList<GrpoMemoryItem> Items)
{
    // What a process of ours takes beyond what is counted here, with libtorch loaded, a run's code compiled and some thousand rows read: measured.
    private const long CpuProcess = 460L << 20;
    private const long CudaProcess = 700L << 20;

    // What a CPU run through autograd was measured to take beyond what is counted here, in multiples of what comes and goes with a
    // micro-batch. Neither malloc's arenas nor its thresholds change it; the cause is not known.
    private const double CpuOverhead = 2;

    /// <summary>All bytes.</summary>
    public long Total => Items.Sum(item => item.Bytes);

    /// <summary>Plans a run on an engine of its own, or on a server's.</summary>
    /// <param name="config">The run.</param>
    /// <param name="model">Shape of its model.</param>
    /// <param name="device">Where it is to run; need not be there.</param>
    /// <param name="server">The server whose engine samples; null for an engine of the run's own.</param>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">The engine's limits contradict the model.</exception>
    public static GrpoMemoryPlan Create(GrpoConfig config, ModelConfig model, Device device, GrpoServer? server = null)
    {
        ScalarType compute = ComputeDType.Select(config.DType, device);
        ScalarType serving = DTypeSelector.Select(config.Engine.DType, model.DeclaredDType, device);
        ScalarType frozen = Policy.FrozenDType(model, compute);
        long parameters = ModelTensors.CountParameters(model);
        long trained = config.Lora is GrpoLora lora ? LoraAdapter.CountParameters(model, lora.Rank, lora.Targets) : parameters;
        bool isLora = config.Lora is not null;
        bool sharesBase = isLora && serving == frozen && server?.StartsFromFirst != false && !InferenceEngine.Packs(model, serving, device);
        EnginePlan engine = EnginePlan.Create(server?.Engine ?? GrpoEngineOptions.Of(config, model), model, serving, device);
        List<GrpoMemoryItem> items = [];
        void Add(string kind, string what, long bytes)
        {
            if (bytes > 0)
            {
                items.Add(new GrpoMemoryItem(kind, what, bytes));
            }
        }

        // 1. Serving: what is live, what rolls out, and the cache.
        Add("process", "runtime, libtorch and compiled code", device.type == DeviceType.CUDA ? CudaProcess : CpuProcess);
        Add("serving_weights", $"{serving}", parameters * Size(serving));
        Add("first_weights", $"the model that the server was started with, which stays beside the promoted one, {serving}", server?.IsFirstLive == false ? parameters * Size(serving) : 0);
        Add("rollout_weights", isLora ? "the adapter's published copy, f32" : $"the published working copy, {serving}", isLora ? trained * 4 : parameters * Size(serving));
        Add("kv_cache", $"{engine.Blocks * engine.BlockSize:N0} tokens", (long)engine.Blocks * engine.BlockSize * model.KeyValueBytesPerToken(Size(serving)));

        // 2. Training: what stays between steps.
        Add("training_weights", isLora ? sharesBase ? "shared with serving" : $"frozen base, {frozen}" : "f32 masters", isLora ? sharesBase ? 0 : parameters * Size(frozen) : parameters * 4);
        Add("adapter", "f32", isLora ? trained * 4 : 0);
        Add("reference", $"frozen initial policy, {frozen}", !isLora && config.Loss.KlCoefficient > 0 ? parameters * Size(frozen) : 0);
        Add("gradients", "f32", trained * 4);
        Add("optimizer", "AdamW's two moments, f32", trained * 8);

        // 3. Training: what a micro-batch takes.
        long tokens = MicroBatchTokens(config, model);
        if (PolicyPass.IsWrittenOut(model, config.Lora, device))
        {
            WrittenPassMemory pass = new(config, model, compute, tokens);
            Add("product_weights", $"fused or rounded for the passes, {compute}", pass.Weights(ScalarType.Float32) + (config.Loss.KlCoefficient > 0 ? pass.Weights(frozen) : 0));
            Add("layer_inputs", $"{tokens:N0} tokens", pass.LayerInputs);
            Add("activations", config.RecomputeActivations ? "of one layer, computed again" : $"of {model.Layers} layers", pass.Layer * (config.RecomputeActivations ? 1 : model.Layers));
            Add("working", "a layer's gradients, or a piece's logits", pass.Working);
        }
        else
        {
            long layer = LayerBytes(config, model, compute, tokens);
            long inputs = config.RecomputeActivations ? (model.Layers + 1L) * tokens * model.HiddenSize * 4 : 0;
            long activations = layer * (config.RecomputeActivations ? 1 : model.Layers);
            Add("layer_inputs", $"{tokens:N0} tokens", inputs);
            Add("activations", config.RecomputeActivations ? "of one layer, computed again" : $"of {model.Layers} layers", activations);
            Add("overhead", "measured beyond what is counted", device.type == DeviceType.CUDA ? 0 : (long)((inputs + activations) * CpuOverhead));
            Add("logits", "a piece's logits, log-probabilities and gradients, f32, and the head's cast", LogitBytes(model, compute, isLora, frozen, tokens));
        }

        Add("optimizer_step", "temporaries of the largest tensor, f32", LargestTrained(config, model) * 4 * 2);
        return new GrpoMemoryPlan(items);
    }

    /// <summary>Changes that would bring a run below a limit, cheapest first, each with all before it.</summary>
    /// <param name="config">The run.</param>
    /// <param name="model">Shape of its model.</param>
    /// <param name="device">Where it is to run.</param>
    /// <param name="limit">Bytes there are.</param>
    /// <param name="server">As for <see cref="Create"/>; what it was given is not among the changes.</param>
    /// <returns>The changes and the totals they lead to; the last one fits where any does.</returns>
    public static IReadOnlyList<GrpoMemoryRemedy> Remedies(GrpoConfig config, ModelConfig model, Device device, long limit, GrpoServer? server = null)
    {
        List<GrpoMemoryRemedy> remedies = [];
        GrpoConfig current = config;
        bool Try(string change, GrpoConfig changed)
        {
            long total = Create(changed, model, device, server).Total;
            if (total >= Create(current, model, device, server).Total)
            {
                return false;
            }

            current = changed;
            remedies.Add(new GrpoMemoryRemedy(change, total));
            return total <= limit;
        }

        if (!config.RecomputeActivations && Try("recompute_activations: true", current with { RecomputeActivations = true }))
        {
            return remedies;
        }

        for (int tokens = current.MicroBatchTokens / 2; tokens >= 512; tokens /= 2)
        {
            if (Try($"micro_batch_tokens: {tokens}", current with { MicroBatchTokens = tokens }))
            {
                return remedies;
            }
        }

        int sequences = GrpoEngineOptions.Of(current, model).MaxSequences!.Value;
        long perToken = model.KeyValueBytesPerToken(Size(DTypeSelector.Select(current.Engine.DType, model.DeclaredDType, device)));
        int length = Math.Min(model.MaxPositionEmbeddings, current.MaxPromptTokens + current.MaxResponseTokens);
        foreach (int share in server is null ? [2, 4, 8] : Array.Empty<int>())
        {
            int mib = (int)Math.Max(1, perToken * length * Math.Max(1, sequences / share) >> 20) + 1;
            if (Try($"engine.kv_cache_mib: {mib}", current with { Engine = current.Engine with { KvCacheMib = mib } }))
            {
                return remedies;
            }
        }

        if (Try("loss.kl_coefficient: 0", current with { Loss = current.Loss with { KlCoefficient = 0 } })
            || (current.Lora is null && Try("lora: {\"rank\": 16}", current with { Lora = new GrpoLora() }))
            || (server is null && device.type == DeviceType.CUDA && Try("engine.dtype: bfloat16", current with { Engine = current.Engine with { DType = "bfloat16" } })))
        {
            return remedies;
        }

        return remedies;
    }

    private static int Size(ScalarType dtype) => dtype == ScalarType.Float32 ? 4 : 2;

    /// <summary>A micro-batch's tokens: its budget, no more than a step has, and no less than the longest response behind its prompt.</summary>
    private static long MicroBatchTokens(GrpoConfig config, ModelConfig model)
    {
        long longest = Math.Min(model.MaxPositionEmbeddings, config.MaxPromptTokens + config.MaxResponseTokens);
        long step = (long)config.PromptsPerStep * (config.MaxPromptTokens + ((long)config.GroupSize * config.MaxResponseTokens));
        return Math.Min(step, Math.Max(longest, config.MicroBatchTokens));
    }

    /// <summary>
    /// What autograd keeps of one layer, and the gradients that pass through it. In units of a token's row: eight of the
    /// hidden width (norms, residuals, attention's output), six of queries and keys (before and after rotation, scaled),
    /// six of the SwiGLU's width; with bf16 products a copy of each product's input and output in bf16 besides. Attention keeps
    /// its probabilities.
    /// </summary>
    private static long LayerBytes(GrpoConfig config, ModelConfig model, ScalarType compute, long tokens)
    {
        long queries = (long)model.Heads * model.HeadDim;
        long keys = (long)model.KeyValueHeads * model.HeadDim;
        long wide = (8L * model.HiddenSize) + (6 * (queries + keys)) + (6L * model.IntermediateSize);
        long narrow = compute == ScalarType.BFloat16 ? (4L * model.HiddenSize) + (2 * (queries + keys)) + (4L * model.IntermediateSize) : 0;
        long seen = Math.Min(tokens, Math.Min(model.MaxPositionEmbeddings, config.MaxPromptTokens + config.MaxResponseTokens)) / 2;
        long probabilities = model.Heads * seen;
        long castWeights = compute == ScalarType.BFloat16 && config.Lora is null ? 2 * ((2 * model.HiddenSize * (queries + keys)) + (3L * model.HiddenSize * model.IntermediateSize)) : 0;
        return (tokens * ((4 * (wide + probabilities)) + (2 * narrow))) + castWeights;
    }

    private static long LogitBytes(ModelConfig model, ScalarType compute, bool isLora, ScalarType frozen, long tokens)
    {
        long rows = Math.Min(tokens, Math.Max(1, AutogradPolicyPass.LogitElements / model.VocabularySize));
        long copies = compute == ScalarType.BFloat16 ? 6 : 5;
        long castHead = compute == ScalarType.BFloat16 && (!isLora || frozen != compute) ? 2L * model.VocabularySize * model.HiddenSize : 0;

        // The head's gradient is added piece by piece to the one that is kept.
        long headGradient = isLora ? 0 : 4L * model.VocabularySize * model.HiddenSize;
        return (rows * model.VocabularySize * 4 * copies) + castHead + headGradient;
    }

    private static long LargestTrained(GrpoConfig config, ModelConfig model) => config.Lora is GrpoLora lora
        ? (long)lora.Rank * Math.Max(model.HiddenSize, model.IntermediateSize)
        : ModelTensors.Enumerate(model).Max(tensor => tensor.Shape.Aggregate(1L, (product, size) => product * size));
}

/// <summary>The server that a job runs in.</summary>
/// <param name="Engine">Limits of its engine.</param>
/// <param name="StartsFromFirst">Whether the job starts from the model that the server was started with, whose memory an adapter's training may share.</param>
/// <param name="IsFirstLive">Whether that model is live; where another one was promoted, both are in memory.</param>
public sealed record GrpoServer(EngineOptions Engine, bool StartsFromFirst = true, bool IsFirstLive = true);

/// <summary>A kind of memory.</summary>
/// <param name="Kind">snake_case.</param>
/// <param name="What">What it is made of.</param>
/// <param name="Bytes">How much.</param>
public sealed record GrpoMemoryItem(string Kind, string What, long Bytes);

/// <summary>A change that makes a run smaller.</summary>
/// <param name="Change">Field and value.</param>
/// <param name="TotalBytes">What the run takes with this change and those before it.</param>
public sealed record GrpoMemoryRemedy(string Change, long TotalBytes);
