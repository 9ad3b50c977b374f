using ToolN1.Training.Optimizers;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training.Grpo;

/// <summary>
/// Turns scored responses into updates of the policy, one micro-batch at a time: <see cref="Begin"/>, then
/// <see cref="Accumulate"/> for each batch, then <see cref="Finish"/>. Every token's weight is set for the whole mini-batch
/// first, so that sums need no division and the split does not matter.
/// </summary>
internal sealed class PolicyUpdater : IDisposable
{
    private readonly GrpoConfig _config;
    private readonly Policy _policy;
    private readonly PolicyLoss _loss;
    private readonly Tensor[] _parameters;
    private readonly AdamW _optimizer;
    private double _updateLoss;

    /// <summary>Prepares the optimizer.</summary>
    /// <param name="config">The run.</param>
    /// <param name="policy">The caller owns it.</param>
    public PolicyUpdater(GrpoConfig config, Policy policy)
    {
        _config = config;
        _policy = policy;
        _loss = new PolicyLoss(config.Loss);
        _parameters = [.. policy.Parameters.Select(item => item.Tensor)];
        GrpoOptimizer options = config.Optimizer;
        _optimizer = new AdamW(policy.Parameters, options.LearningRate, options.Beta1, options.Beta2, options.Epsilon, options.WeightDecay);
    }

    /// <summary>The optimizer, for checkpoints.</summary>
    public IReadOnlyList<IOptimizer> Optimizers => [_optimizer];

    /// <summary>Gives every response of a mini-batch its tokens' weight.</summary>
    public static void SetWeights(GrpoConfig config, IReadOnlyList<ResponseGroup> groups)
    {
        TrainedResponse[] responses = [.. groups.SelectMany(group => group.Responses)];
        double[] weights = TokenWeights.PerResponse(
            [.. responses.Select(response => response.Tokens.Length)], config.Loss.Aggregation, config.MaxResponseTokens);
        foreach ((TrainedResponse response, double weight) in responses.Zip(weights))
        {
            response.TokenWeight = weight;
        }
    }

    /// <summary>Notes the present policy's log-probabilities as the old ones.</summary>
    public void ScoreOld(ResponseBatch batch) => Distribute(batch, _policy.Pass.Score(batch.Packed, _config.Sampling.Temperature), (response, values) => response.Old = values);

    /// <summary>Notes the frozen initial policy's log-probabilities.</summary>
    public void ScoreReference(ResponseBatch batch) => Distribute(batch, _policy.ScoreReference(batch.Packed, _config.Sampling.Temperature), (response, values) => response.Reference = values);

    /// <summary>Begins an update: no gradients, no loss.</summary>
    public void Begin()
    {
        _updateLoss = 0;
        using IDisposable scope = NewDisposeScope();
        foreach (Tensor parameter in _parameters)
        {
            parameter.grad?.zero_();
        }
    }

    /// <summary>Adds a micro-batch's gradients.</summary>
    /// <param name="batch">Responses with their weights.</param>
    /// <param name="klCoefficient">β.</param>
    /// <param name="meter">Gets the tokens' figures.</param>
    public void Accumulate(ResponseBatch batch, double klCoefficient, PolicyMeter meter)
    {
        using DisposeScope scope = NewDisposeScope();
        PolicyTokens tokens = TokensOf(batch);
        double[] advantages = [.. batch.Responses.SelectMany(response => Enumerable.Repeat(response.Advantage, response.Tokens.Length))];
        float[] sampled = [.. batch.Responses.SelectMany(response => response.Sampled)];
        float[]? old = batch.Responses[0].Old is null ? null : [.. batch.Responses.SelectMany(response => response.Old!)];
        PassScores scores = _policy.Pass.Accumulate(batch.Packed, _config.Sampling.Temperature, _loss.NeedsWholeResponses, Derivative);
        foreach (float entropy in scores.Entropies)
        {
            meter.Entropy.Add(entropy);
        }

        meter.PassTokens += batch.Packed.TokenCount;

        float[] Derivative(int start, float[] logProbs)
        {
            using DisposeScope piece = NewDisposeScope();
            using IDisposable grad = enable_grad();
            Tensor leaf = tensor(logProbs, requires_grad: true);
            PolicyLossTerms terms = _loss.Compute(leaf, logProbs.Length == advantages.Length ? tokens : tokens.Slice(start, logProbs.Length), klCoefficient);
            terms.Loss.backward();
            _updateLoss += terms.Loss.item<float>();
            meter.Add(_config.Loss, Samples(start, logProbs, terms));
            return Host(leaf.grad!);
        }

        TokenSample[] Samples(int start, float[] logProbs, PolicyLossTerms terms)
        {
            float[] ratio = Host(terms.Ratio);
            float[]? kl = terms.Kl is null ? null : Host(terms.Kl);
            float[]? importance = terms.Importance is null ? null : Host(terms.Importance);
            return [.. logProbs.Select((logProb, i) => new TokenSample(logProb, old?[start + i] ?? logProb, sampled[start + i], advantages[start + i], ratio[i], kl?[i], importance?[i]))];
        }
    }

    /// <summary>Clips, checks and moves the parameters. A non-finite loss or gradient leaves parameters and optimizer as they were.</summary>
    /// <param name="rateFactor">On the configured learning rate: schedule and live edits.</param>
    /// <param name="meter">Gets loss and norm.</param>
    /// <returns>Whether the parameters moved.</returns>
    public bool Finish(double rateFactor, PolicyMeter meter)
    {
        double norm = GradientClipping.Clip(_parameters, _config.ClipNorm);
        if (!double.IsFinite(norm) || !double.IsFinite(_updateLoss))
        {
            return false;
        }

        _optimizer.Step(rateFactor);
        _policy.Pass.WeightsChanged();
        meter.Updates++;
        meter.Loss += _updateLoss;
        meter.GradientNorm += norm;
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _optimizer.Dispose();

    private static float[] Host(Tensor tensor) => tensor.detach().data<float>().ToArray();

    private static void Distribute(ResponseBatch batch, PassScores scores, Action<TrainedResponse, float[]> set)
    {
        int start = 0;
        foreach (TrainedResponse response in batch.Responses)
        {
            set(response, scores.LogProbs[start..(start + response.Tokens.Length)]);
            start += response.Tokens.Length;
        }
    }

    private static PolicyTokens TokensOf(ResponseBatch batch)
    {
        IReadOnlyList<TrainedResponse> responses = batch.Responses;
        Tensor Floats(Func<TrainedResponse, IEnumerable<float>> values) => tensor(responses.SelectMany(values).ToArray());
        return new PolicyTokens(
            Floats(response => Enumerable.Repeat((float)response.Advantage, response.Tokens.Length)),
            Floats(response => Enumerable.Repeat((float)response.TokenWeight, response.Tokens.Length)),
            responses[0].Old is null ? null : Floats(response => response.Old!),
            responses[0].Reference is null ? null : Floats(response => response.Reference!),
            Floats(response => response.Sampled),
            tensor(responses.SelectMany((response, index) => Enumerable.Repeat((long)index, response.Tokens.Length)).ToArray()));
    }
}
