using ToolN1.Engine.Kernels;
using ToolN1.Engine.Model;
using ToolN1.Training.Packing;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training.Passes;

/// <summary>
/// A decoder's pass forward and back over packed batches with the derivatives written out: products in the compute dtype by
/// libtorch, all between them in our own kernels, residual and its gradient in float32, and gradients added to the
/// parameters' own or to <see cref="PassGradients"/> apart. For a CPU and for plain projections; elsewhere training goes through
/// autograd. Between two <see cref="LoadWeights"/>, batches may be scored and accumulated on several threads at once, each with
/// gradients of its own.
/// </summary>
internal abstract class DecoderPass : IDisposable
{
    /// <summary>Logits that exist at once: 16 MiB in bf16.</summary>
    public const long LogitElements = 8 << 20;

    /// <summary>Whether models of a shape can be trained this way on a device.</summary>
    public static bool Supports(ModelConfig config, Device device) =>
        device.type == DeviceType.CPU
        && !config.QkNorm && !config.AttentionOutputBias
        && config.HeadDim % 32 == 0 && config.HiddenSize % 16 == 0 && config.IntermediateSize % 16 == 0;

    /// <summary>Whether a decoder can be trained this way; frozen bf16 weights can be scored with.</summary>
    public static bool Supports(Decoder decoder) =>
        Supports(decoder.Config, decoder.Device)
        && decoder.DType is ScalarType.Float32 or ScalarType.BFloat16
        && decoder.Layers.SelectMany(layer => layer.Projections).Append(decoder.Head).All(linear => linear.GetType() == typeof(Linear));

    /// <summary>Makes a pass.</summary>
    /// <param name="decoder">f32 masters, or weights that are only scored with; the caller owns it.</param>
    /// <param name="compute">Dtype of the products: float32 or bfloat16.</param>
    /// <param name="recomputes">Keeps each layer's input only and computes the layer again on the way back.</param>
    /// <param name="threads">Threads between the products; null takes libtorch's number.</param>
    /// <exception cref="ArgumentException">The decoder is not supported.</exception>
    public static DecoderPass Create(Decoder decoder, ScalarType compute, bool recomputes = false, int? threads = null) => !Supports(decoder)
        ? throw new ArgumentException("The decoder needs autograd.", nameof(decoder))
        : compute == ScalarType.BFloat16
            ? new DecoderPass<BFloat16Element>(decoder, compute, recomputes, threads ?? get_num_threads())
            : new DecoderPass<Float32Element>(decoder, compute, recomputes, threads ?? get_num_threads());

    /// <summary>Takes over the parameters' present values; call once a step, before its first batch.</summary>
    public abstract void LoadWeights();

    /// <summary>Scores the batch's predictions.</summary>
    /// <param name="batch">The tokens.</param>
    /// <param name="temperature">Logits are divided by it.</param>
    public abstract PassResult Score(PackedBatch batch, double temperature);

    /// <summary>Adds a loss's gradients to the parameters' of f32 masters.</summary>
    /// <param name="batch">The tokens.</param>
    /// <param name="temperature">Logits are divided by it.</param>
    /// <param name="wholeBatch">Whether the derivative wants all log-probabilities at once, which may take the head's product twice.</param>
    /// <param name="derivative">The loss.</param>
    /// <param name="gradients">Gets them instead; null is the parameters' own.</param>
    public abstract PassResult Accumulate(PackedBatch batch, double temperature, bool wholeBatch, LossDerivative derivative, PassGradients? gradients = null);

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <inheritdoc/>
internal sealed unsafe class DecoderPass<T> : DecoderPass
    where T : struct, IElement
{
    private readonly Decoder _decoder;
    private readonly bool _recomputes;
    private readonly RowParts _parts;
    private readonly RotaryEmbedding _rotary;
    private readonly LayerPass<T>[] _layers;
    private readonly HeadPass<T> _head;

    public DecoderPass(Decoder decoder, ScalarType compute, bool recomputes, int threads)
    {
        _parts = new RowParts(threads);
        _decoder = decoder;
        _recomputes = recomputes;
        _rotary = new RotaryEmbedding(decoder.Config, decoder.Device);
        _layers = [.. decoder.Layers.Select(layer => new LayerPass<T>(layer, decoder.Config, _parts, compute))];
        _head = new HeadPass<T>(decoder, _parts, compute);
    }

    public override void LoadWeights()
    {
        using IDisposable noGrad = no_grad();
        foreach (LayerPass<T> layer in _layers)
        {
            layer.LoadWeights();
        }

        _head.LoadWeights();
    }

    public override PassResult Score(PackedBatch batch, double temperature)
    {
        using IDisposable noGrad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor residual = Forward(PlanOf(batch), tensor(batch.Ids), tapes: null);
        return _head.Run(batch, residual, temperature, wholeBatch: false, derivative: null, gradient: null, PassGradients.OfParameters);
    }

    public override PassResult Accumulate(PackedBatch batch, double temperature, bool wholeBatch, LossDerivative derivative, PassGradients? gradients = null)
    {
        gradients ??= PassGradients.OfParameters;
        using IDisposable noGrad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        PassPlan plan = PlanOf(batch);

        // 1. Forward, keeping what the way back needs.
        Tensor ids = tensor(batch.Ids);
        List<LayerTape> tapes = [];
        Tensor residual = Forward(plan, ids, tapes);

        // 2. The head on the wanted rows, and the gradient of the residual behind the last layer.
        Tensor gradient = zeros_like(residual);
        PassResult result = _head.Run(batch, residual, temperature, wholeBatch, derivative, gradient, gradients);
        residual.Dispose();

        // 3. Back.
        for (int layer = _layers.Length - 1; layer >= 0; layer--)
        {
            using DisposeScope layerScope = NewDisposeScope();
            using LayerTape kept = tapes[layer];
            using LayerTape? again = kept.IsWhole ? null : _layers[layer].Forward(plan, kept.Residual!, null);
            _layers[layer].Backward(plan, again ?? kept, gradient, gradients);
        }

        gradients.Of(_decoder.Embedding).AddRows_(ids, gradient.narrow(0, 0, batch.TokenCount));
        return result;
    }

    public override void Dispose()
    {
        foreach (LayerPass<T> layer in _layers)
        {
            layer.Dispose();
        }

        _head.Dispose();
        _rotary.Dispose();
    }

    private PassPlan PlanOf(PackedBatch batch) => new(
        new AttentionLayout(batch.Spans, batch.TokenCount), batch.TokenCount, _rotary.Angles(tensor(batch.Positions), ScalarType.Float32));

    /// <summary>All layers.</summary>
    /// <param name="plan">The batch.</param>
    /// <param name="ids">int64 [tokens].</param>
    /// <param name="tapes">Gets one a layer; null keeps nothing.</param>
    /// <returns>f32 [rows, hidden].</returns>
    private Tensor Forward(PassPlan plan, Tensor ids, List<LayerTape>? tapes)
    {
        int hidden = _decoder.Config.HiddenSize;
        Tensor residual = zeros([plan.Rows, hidden]);
        residual.narrow(0, 0, ids.shape[0]).copy_(_decoder.Embedding.index_select(0, ids));
        Tensor? branch = null;
        for (int index = 0; index < _layers.Length; index++)
        {
            LayerTape tape = _layers[index].Forward(plan, residual, branch);
            branch?.Dispose();
            branch = _layers[index].Branch(tape);
            bool keepsAll = tapes is not null && (!_recomputes || index == _layers.Length - 1);
            if (!keepsAll)
            {
                tape.Trim(keepsInput: tapes is not null);
            }

            // The residual between two layers is on neither's tape when layers are computed again; the first one is an input.
            if (index > 0 && (tapes is null || _recomputes))
            {
                residual.Dispose();
            }

            tapes?.Add(tape);
            residual = tape.Middle!;
        }

        residual = residual.clone();
        PassKernels<T>.Add(_parts, PassTensors.Floats(residual), PassTensors.Bytes(branch!), plan.Rows, hidden);
        branch!.Dispose();
        return residual;
    }
}
