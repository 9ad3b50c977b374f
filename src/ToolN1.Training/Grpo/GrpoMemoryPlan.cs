using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Training.Planning;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training.Grpo;

/// <summary>What a GRPO run will need.</summary>
public static class GrpoMemoryPlan
{
    // What answers and prompts are not asked to be shorter than to save memory.
    private const int ShortestResponse = 256;
    private const int ShortestPrompt = 512;

    /// <summary>Plans a run and compares.</summary>
    /// <param name="config">The run.</param>
    /// <param name="model">Shape of its model.</param>
    /// <param name="device">Where it is to run; need not be there.</param>
    /// <param name="limit">Bytes there are; null where nothing tells.</param>
    /// <param name="prompts">Of its rows; null takes the configuration's word for it.</param>
    /// <param name="server">The server whose engine samples; null for an engine of the run's own.</param>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">The engine's limits contradict the model.</exception>
    public static MemoryCheck Check(GrpoConfig config, ModelConfig model, Device device, long? limit, RowLengths? prompts = null, PlannedServer? server = null) =>
        MemoryCheck.Of(Create(config, model, device, prompts, server), limit, bytes => Remedies(config, model, device, bytes, prompts, server));

    /// <summary>Plans a run on an engine of its own, or on a server's.</summary>
    /// <param name="config">The run. Without <paramref name="prompts"/> its longest prompt is as long as it lets one be, and all are half as long on average.</param>
    /// <param name="model">Shape of its model.</param>
    /// <param name="device">Where it is to run; need not be there.</param>
    /// <param name="prompts">Of its rows; null takes the configuration's word for it.</param>
    /// <param name="server">The server whose engine samples; null for an engine of the run's own.</param>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">The engine's limits contradict the model.</exception>
    public static MemoryPlan Create(GrpoConfig config, ModelConfig model, Device device, RowLengths? prompts = null, PlannedServer? server = null)
    {
        ScalarType compute = ComputeDType.Select(config.DType, device);
        ScalarType serving = DTypeSelector.Select(server?.DType ?? config.Engine.DType, model.DeclaredDType, device);
        ScalarType frozen = Policy.FrozenDType(model, compute);
        long parameters = ModelTensors.CountParameters(model);
        long trained = config.Lora is GrpoLora lora ? LoraAdapter.CountParameters(model, lora.Rank, lora.Targets) : parameters;
        bool isLora = config.Lora is not null;
        bool hasReference = config.Loss.KlCoefficient > 0;
        bool sharesBase = isLora && serving == frozen && server?.StartsFromFirst != false && !InferenceEngine.Packs(model, serving, device);
        MemoryLedger ledger = new(model, device);

        // 1. Serving: what is live, the cache, and what rolls out.
        ledger.AddProcess(isServer: server is not null);
        ledger.AddEngine(server?.Engine ?? GrpoEngineOptions.Of(config, model), serving, server?.IsFirstLive != false);
        ledger.Add("rollout_weights", isLora ? "the adapter's published copy, f32" : $"the published working copy, {serving}", isLora ? trained * 4 : parameters * MemoryLedger.Size(serving));

        // 2. Training: what stays between steps.
        ledger.Add("training_weights", isLora ? sharesBase ? "shared with serving" : $"frozen base, {frozen}" : "f32 masters", isLora ? sharesBase ? 0 : parameters * MemoryLedger.Size(frozen) : parameters * 4);
        ledger.Add("adapter", "f32", isLora ? trained * 4 : 0);
        ledger.Add("reference", $"frozen initial policy, {frozen}", !isLora && hasReference ? parameters * MemoryLedger.Size(frozen) : 0);
        ledger.Add("gradients", "f32", trained * 4);
        ledger.Add("optimizer", "AdamW's two moments, f32", trained * 8);

        // 3. Training: what a micro-batch takes.
        int prompt = LongestPrompt(config, model, prompts);
        int longest = (int)Math.Min(config.LongestSequence(model), (long)prompt + config.MaxResponseTokens);
        long tokens = MicroBatchTokens(config, prompt, longest);
        BatchShape shape = Shape(config, Math.Min(prompt, prompts?.Mean ?? prompt / 2.0));
        if (PolicyPass.IsWrittenOut(model, config.Lora, device))
        {
            long weights = WrittenPassMemory.Weights(model, compute, ScalarType.Float32) + (hasReference ? WrittenPassMemory.Weights(model, compute, frozen) : 0);
            ledger.AddWrittenPass(new WrittenPassMemory(model, compute, tokens, shape), weights, compute, (long)(shape.Prefix + shape.Row), config.RecomputeActivations, MicroBatches(config, shape, tokens));
        }
        else
        {
            ledger.AddAutogradPass(
                new AutogradPassMemory(model, compute, isLora ? frozen : ScalarType.Float32, !isLora, tokens, longest, AutogradPolicyPass.LogitElements),
                config.RecomputeActivations, MicroBatches(config, shape, tokens));
        }

        ledger.Add("optimizer_step", "temporaries of the largest tensor, f32", LargestTrained(config, model) * 4 * 2);
        return ledger.ToPlan();
    }

    /// <summary>Changes that would bring a run below a limit, cheapest first, each with all before it.</summary>
    /// <param name="config">The run.</param>
    /// <param name="model">Shape of its model.</param>
    /// <param name="device">Where it is to run.</param>
    /// <param name="limit">Bytes there are.</param>
    /// <param name="prompts">As for <see cref="Create"/>.</param>
    /// <param name="server">As for <see cref="Create"/>; what it was given is not among the changes.</param>
    /// <returns>The changes and the totals they lead to; the last one fits where any does.</returns>
    public static IReadOnlyList<MemoryRemedy> Remedies(GrpoConfig config, ModelConfig model, Device device, long limit, RowLengths? prompts = null, PlannedServer? server = null)
    {
        RemedySearch<GrpoConfig> search = new(config, changed => Create(changed, model, device, prompts, server).Total, limit);
        if (!config.RecomputeActivations && search.Try("recompute_activations: true", config with { RecomputeActivations = true }))
        {
            return search.Remedies;
        }

        for (int tokens = config.MicroBatchTokens / 2; tokens >= 512; tokens /= 2)
        {
            if (search.Try($"micro_batch_tokens: {tokens}", search.Current with { MicroBatchTokens = tokens }))
            {
                return search.Remedies;
            }
        }

        EngineOptions options = GrpoEngineOptions.Of(config, model);
        int sequences = options.MaxSequences!.Value;
        long cached = (config.LongestSequence(model) + options.BlockSize - 1L) / options.BlockSize * options.BlockSize;
        long perToken = model.KeyValueBytesPerToken(MemoryLedger.Size(DTypeSelector.Select(config.Engine.DType, model.DeclaredDType, device)));
        foreach (int share in server is null ? [2, 4, 8] : Array.Empty<int>())
        {
            int mib = (int)Math.Max(1, perToken * cached * Math.Max(1, sequences / share) >> 20) + 1;
            if (search.Try($"engine.kv_cache_mib: {mib}", search.Current with { Engine = search.Current.Engine with { KvCacheMib = mib } }))
            {
                return search.Remedies;
            }
        }

        if (search.Try("loss.kl_coefficient: 0", search.Current with { Loss = search.Current.Loss with { KlCoefficient = 0 } })
            || (config.Lora is null && search.Try("lora: {\"rank\": 16}", search.Current with { Lora = new GrpoLora() }))
            || (server is null && device.type == DeviceType.CUDA && search.Try("engine.dtype: bfloat16", search.Current with { Engine = search.Current.Engine with { DType = "bfloat16" } })))
        {
            return search.Remedies;
        }

        // The longest row is a micro-batch however few tokens that may have.
        for (int tokens = config.MaxResponseTokens / 2; tokens >= ShortestResponse; tokens /= 2)
        {
            if (search.Try($"max_response_tokens: {tokens}", search.Current with { MaxResponseTokens = tokens }))
            {
                return search.Remedies;
            }
        }

        for (int tokens = LongestPrompt(config, model, prompts) / 2; tokens >= ShortestPrompt; tokens /= 2)
        {
            if (search.Try($"max_prompt_tokens: {tokens}", search.Current with { MaxPromptTokens = tokens }))
            {
                return search.Remedies;
            }
        }

        return search.Remedies;
    }

    private static int LongestPrompt(GrpoConfig config, ModelConfig model, RowLengths? prompts) =>
        Math.Min(Math.Min(config.MaxPromptTokens, prompts?.Longest ?? int.MaxValue), config.LongestSequence(model));

    /// <summary>A micro-batch's tokens: its budget, no more than a step has, and no less than the longest response behind its prompt.</summary>
    private static long MicroBatchTokens(GrpoConfig config, int prompt, int longest)
    {
        long step = (long)config.PromptsPerStep * (prompt + ((long)config.GroupSize * config.MaxResponseTokens));
        return Math.Min(step, Math.Max(longest, config.MicroBatchTokens));
    }

    /// <summary>Responses, and prompts that nobody has measured, are taken to be half as long as they may be; what predicts are the responses.</summary>
    private static BatchShape Shape(GrpoConfig config, double prompt)
    {
        BatchShape shape = new(prompt, config.MaxResponseTokens / 2.0, config.GroupSize, 0);
        return shape with { Predicting = shape.RestShare };
    }

    /// <summary>Micro-batches of the whole run, at the lengths of <see cref="Shape"/>; a run of epochs is taken to be long.</summary>
    private static double MicroBatches(GrpoConfig config, BatchShape shape, long tokens)
    {
        double step = config.PromptsPerStep * (shape.Prefix + shape.Rest);
        return config.Steps is int steps ? (double)steps * config.PassesPerStep * Math.Ceiling(step / tokens) : double.PositiveInfinity;
    }

    private static long LargestTrained(GrpoConfig config, ModelConfig model) => config.Lora is GrpoLora lora
        ? (long)lora.Rank * Math.Max(model.HiddenSize, model.IntermediateSize)
        : MemoryLedger.LargestTensor(model);
}
