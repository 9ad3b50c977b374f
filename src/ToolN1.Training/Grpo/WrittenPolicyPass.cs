using ToolN1.Engine.Model;
using ToolN1.Training.Packing;
using ToolN1.Training.Passes;
using static TorchSharp.torch;

namespace ToolN1.Training.Grpo;

/// <summary>A policy's pass with the derivatives written out. The weights are taken over before the first batch that needs them.</summary>
/// <param name="decoder">Supported by <see cref="DecoderPass"/>; the caller owns it.</param>
/// <param name="recomputes">Keeps layer inputs only.</param>
internal sealed class WrittenPolicyPass(Decoder decoder, bool recomputes) : PolicyPass
{
    private readonly DecoderPass _pass = DecoderPass.Create(decoder, decoder.Head.ComputeDType ?? ScalarType.Float32, recomputes);
    private bool _isLoaded;

    /// <inheritdoc/>
    public override PassScores Score(PackedBatch batch, double temperature) => ScoresOf(Loaded().Score(batch, temperature));

    /// <inheritdoc/>
    public override PassScores Accumulate(PackedBatch batch, double temperature, bool wholeBatch, LossDerivative derivative) =>
        ScoresOf(Loaded().Accumulate(batch, temperature, wholeBatch, derivative));

    /// <inheritdoc/>
    public override void WeightsChanged() => _isLoaded = false;

    /// <inheritdoc/>
    public override void Dispose() => _pass.Dispose();

    private static PassScores ScoresOf(PassResult result) => new(result.LogProbs, result.Entropies);

    private DecoderPass Loaded()
    {
        if (!_isLoaded)
        {
            _pass.LoadWeights();
            _isLoaded = true;
        }

        return _pass;
    }
}
