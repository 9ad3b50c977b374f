using System.Numerics;
using ToolN1.Engine.Kernels;

namespace ToolN1.Engine.Sampling;

/// <summary>
/// Chooses next tokens from float32 logits. Order, as in vLLM: constraint, minimum length, logit bias, repetition,
/// frequency and presence penalty, then greedy or temperature, min-p, top-k, top-p (over what the filters before left). The result
/// depends on nothing but logits and state. Not thread-safe (it reuses buffers); one instance a thread.
/// </summary>
internal sealed class Sampler
{
    private readonly List<int> _indices = [];
    private readonly List<(float Logit, int TokenId)> _candidates = [];

    /// <summary>Chooses the next token of one sequence; the caller records it.</summary>
    /// <param name="logits">Float32 [vocab]; changed in place by bias and penalties.</param>
    /// <param name="state">The sequence's state; its generator advances unless greedy.</param>
    /// <param name="allowed">One bit a token that a constraint allows, ids beyond it not allowed; empty without a constraint.</param>
    /// <exception cref="NonFiniteLogitsException">A logit is NaN or +∞, or none is left to choose.</exception>
    public SampledToken Sample(Span<float> logits, SamplerState state, ReadOnlySpan<ulong> allowed = default)
    {
        SamplingParameters parameters = state.Parameters;
        bool wantsRaw = parameters.TopLogProbs is not null && !parameters.TemperedLogProbs;
        bool changes = ChangesLogits(state) || !allowed.IsEmpty;

        // The model's own distribution has to be read before bias and penalties touch it.
        float max = FiniteMax(logits);
        double rawLogSum = wantsRaw ? LogSum(logits, max, 1) : 0;
        IReadOnlyList<(int TokenId, float LogProb)> rawTop =
            wantsRaw ? Top(logits, max, 1, rawLogSum, parameters.TopLogProbs!.Value) : [];
        float[]? raw = wantsRaw && changes ? logits.ToArray() : null;
        if (changes)
        {
            ApplyBiasAndPenalties(logits, state, allowed);
            max = FiniteMax(logits);
        }

        float scale = parameters.Temperature == 0 ? 1 : Scale(parameters.Temperature);
        int token = parameters.Temperature == 0 ? logits.IndexOf(max) : Draw(logits, max, scale, state);
        if (parameters.TopLogProbs is not { } count)
        {
            return new SampledToken(token, null);
        }

        if (wantsRaw)
        {
            float rawLogit = raw is null ? logits[token] : raw[token];
            float rawMax = raw is null ? max : FiniteMax(raw);
            return new SampledToken(token, new TokenLogProb(token, (float)(rawLogit - (double)rawMax - rawLogSum), rawTop));
        }

        double logSum = LogSum(logits, max, scale);
        float logProb = (float)(((double)(logits[token] - max) * scale) - logSum);
        return new SampledToken(token, new TokenLogProb(token, logProb, Top(logits, max, scale, logSum, count)));
    }

    /// <summary>Log-probability of a given token, with the likeliest alternatives.</summary>
    /// <param name="logits">Float32 [vocab]; not changed.</param>
    /// <param name="token">The token.</param>
    /// <param name="top">Alternatives wanted.</param>
    /// <param name="temperature">Divides the logits; 1 is the model's own distribution.</param>
    /// <exception cref="NonFiniteLogitsException">A logit is NaN or +∞.</exception>
    public TokenLogProb LogProbOf(ReadOnlySpan<float> logits, int token, int top, float temperature = 1)
    {
        float max = FiniteMax(logits);
        float scale = Scale(temperature);
        double logSum = LogSum(logits, max, scale);
        return new TokenLogProb(token, (float)(((double)(logits[token] - max) * scale) - logSum), Top(logits, max, scale, logSum, top));
    }

    // The reciprocal of a temperature below 3e-39 is infinite, and infinity times the distance 0 of the likeliest token is no
    // number. The largest finite scale leaves the likeliest alone just as well.
    private static float Scale(float temperature) => MathF.Min(1 / temperature, float.MaxValue);

    private static bool ChangesLogits(SamplerState state)
    {
        SamplingParameters parameters = state.Parameters;
        return state.MaskedIds.Count > 0 || parameters.LogitBias is { Count: > 0 } || parameters.RepetitionPenalty != 1
            || parameters.FrequencyPenalty != 0 || parameters.PresencePenalty != 0;
    }

    private static float FiniteMax(ReadOnlySpan<float> logits)
    {
        float max = VectorMath.Max(logits);
        return float.IsFinite(max)
            ? max
            : throw new NonFiniteLogitsException($"The largest of {logits.Length} logits is {max}; no token can be chosen.");
    }

    private static double LogSum(ReadOnlySpan<float> logits, float max, float scale) =>
        Math.Log(VectorMath.SumExp(logits, max, scale));

    private static void ApplyBiasAndPenalties(Span<float> logits, SamplerState state, ReadOnlySpan<ulong> allowed)
    {
        SamplingParameters parameters = state.Parameters;
        if (!allowed.IsEmpty)
        {
            VectorMath.KeepAllowed(logits, allowed);
        }

        // An answer that a constraint has completed ends, however short it is.
        if (allowed.IsEmpty || AllowsOther(allowed, state.MaskedIds))
        {
            foreach (int id in state.MaskedIds)
            {
                logits[id] = float.NegativeInfinity;
            }
        }

        foreach ((int id, float bias) in parameters.LogitBias ?? new Dictionary<int, float>())
        {
            logits[id] += bias;
        }

        if (parameters.RepetitionPenalty != 1)
        {
            foreach (int id in state.PromptIds)
            {
                if (!state.GeneratedCounts.ContainsKey(id))
                {
                    logits[id] = Repeated(logits[id], parameters.RepetitionPenalty);
                }
            }
        }

        foreach ((int id, int count) in state.GeneratedCounts)
        {
            float logit = Repeated(logits[id], parameters.RepetitionPenalty);
            logits[id] = logit - (count * parameters.FrequencyPenalty) - parameters.PresencePenalty;
        }
    }

    private static bool AllowsOther(ReadOnlySpan<ulong> allowed, IReadOnlyCollection<int> ids)
    {
        int others = 0;
        foreach (ulong word in allowed)
        {
            others += BitOperations.PopCount(word);
        }

        foreach (int id in ids)
        {
            others -= id >> 6 < allowed.Length ? (int)(allowed[id >> 6] >> (id & 63)) & 1 : 0;
        }

        return others > 0;
    }

    // A tiny penalty takes a positive logit beyond what a float holds: as large as can be is what is meant.
    private static float Repeated(float logit, float penalty) => logit > 0 ? MathF.Min(logit / penalty, float.MaxValue) : logit * penalty;

    private int Draw(ReadOnlySpan<float> logits, float max, float scale, SamplerState state)
    {
        SamplingParameters parameters = state.Parameters;
        double uniform = state.Generator.NextDouble();
        bool hasTopK = parameters.TopK > 0 && parameters.TopK < logits.Length;
        if (!hasTopK && parameters.TopP >= 1 && parameters.MinP == 0)
        {
            double sum = VectorMath.SumExp(logits, max, scale);
            return VectorMath.FindCumulative(logits, max, scale, uniform * sum);
        }

        // 1. The likeliest tokens, as many as the filters can keep, likeliest first (equal logits: lower id first).
        if (parameters.MinP > 0)
        {
            CollectWithin(logits, max, -MathF.Log(parameters.MinP) / scale);
        }
        else
        {
            CollectEnough(logits, max, scale, hasTopK ? parameters.TopK : 0, parameters.TopP);
        }

        SortCandidates(logits);
        int kept = hasTopK ? Math.Min(parameters.TopK, _candidates.Count) : _candidates.Count;

        // 2. Top-p over what is left: the smallest leading set with at least that share. When top-k and min-p are off the
        // share is of the whole vocabulary, of which the candidates may be only the head.
        bool wholeVocabulary = !hasTopK && parameters.MinP == 0;
        double total = wholeVocabulary ? VectorMath.SumExp(logits, max, scale) : MassOfFirst(kept, max, scale);
        double wanted = parameters.TopP >= 1 ? double.PositiveInfinity : parameters.TopP * total;
        double mass = 0;
        int nucleus = 0;
        while (nucleus < kept && mass < wanted)
        {
            mass += Weight(_candidates[nucleus++].Logit, max, scale);
        }

        // 3. Draw among them.
        double target = uniform * mass;
        double cumulative = 0;
        for (int i = 0; i < nucleus; i++)
        {
            cumulative += Weight(_candidates[i].Logit, max, scale);
            if (cumulative > target)
            {
                return _candidates[i].TokenId;
            }
        }

        return _candidates[nucleus - 1].TokenId;
    }

    private void CollectEnough(ReadOnlySpan<float> logits, float max, float scale, int topK, float topP)
    {
        double wanted = topK > 0 ? 0 : topP * VectorMath.SumExp(logits, max, scale);
        for (float depth = 8; ; depth *= 2)
        {
            bool everything = depth > 88;

            // Tokens at -∞ are no candidates.
            CollectWithin(logits, max, everything ? float.MaxValue : depth / scale);
            if (everything || (topK > 0 ? _indices.Count >= topK : MassOfIndices(logits, max, scale) >= wanted))
            {
                return;
            }
        }
    }

    private void CollectWithin(ReadOnlySpan<float> logits, float max, float depth)
    {
        _indices.Clear();
        VectorMath.CollectAtLeast(logits, max - depth, _indices);
    }

    private void SortCandidates(ReadOnlySpan<float> logits)
    {
        _candidates.Clear();
        foreach (int index in _indices)
        {
            _candidates.Add((logits[index], index));
        }

        _candidates.Sort(static (a, b) => a.Logit != b.Logit ? b.Logit.CompareTo(a.Logit) : a.TokenId.CompareTo(b.TokenId));
    }

    private double MassOfFirst(int count, float max, float scale)
    {
        double mass = 0;
        for (int i = 0; i < count; i++)
        {
            mass += Weight(_candidates[i].Logit, max, scale);
        }

        return mass;
    }

    private double MassOfIndices(ReadOnlySpan<float> logits, float max, float scale)
    {
        double mass = 0;
        foreach (int index in _indices)
        {
            mass += Weight(logits[index], max, scale);
        }

        return mass;
    }

    private static double Weight(float logit, float max, float scale) => Math.Exp((double)(logit - max) * scale);

    private List<(int TokenId, float LogProb)> Top(ReadOnlySpan<float> logits, float max, float scale, double logSum, int count)
    {
        List<(int TokenId, float LogProb)> top = new(count);
        if (count == 0)
        {
            return top;
        }

        CollectEnough(logits, max, scale, Math.Min(count, logits.Length), 1);
        SortCandidates(logits);
        foreach ((float logit, int id) in _candidates.Take(count))
        {
            top.Add((id, (float)(((double)(logit - max) * scale) - logSum)));
        }

        return top;
    }
}
