using ToolN1.Engine.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Engine.Model;

/// <summary>Which rows of the batch at hand run through which adapter. One for all projections of a decoder; set before each pass.</summary>
public sealed class AdapterSelection
{
    /// <summary>Runs of neighbouring rows with an adapter, each within the batch; rows outside run on the base alone.</summary>
    public IReadOnlyList<AdapterRows> Rows { get; set; } = [];

    /// <summary>Puts an adapter in front of every row, or of none.</summary>
    public void SelectAll(LoraAdapter? adapter) => Rows = adapter is null ? [] : [new AdapterRows(0, null, adapter)];
}

/// <summary>Rows of a batch that run through an adapter.</summary>
/// <param name="First">First row.</param>
/// <param name="Count">How many; null for all to the end.</param>
/// <param name="Adapter">The adapter.</param>
public readonly record struct AdapterRows(long First, long? Count, LoraAdapter Adapter);

/// <summary>A projection with adapters beside it; the base product may be any <see cref="Linear"/>, packed ones included.</summary>
/// <remarks>Adapters multiply in f32 by libtorch; whether a row's result depends on its neighbours is libtorch's affair (docs/numerics.md).</remarks>
public sealed class AdapterLinear : Linear
{
    private readonly Linear _base;
    private readonly string _name;
    private readonly AdapterSelection _selection;

    private AdapterLinear(Linear inner, string name, AdapterSelection selection)
        : base(inner.Weight, inner.Bias)
    {
        _base = inner;
        _name = name;
        _selection = selection;
        ComputeDType = inner.ComputeDType;
    }

    /// <summary>Puts every projection of a decoder's layers behind one selection.</summary>
    /// <returns>The selection; empty, so that nothing has changed yet.</returns>
    public static AdapterSelection WrapAll(Decoder decoder)
    {
        AdapterSelection selection = new();
        for (int index = 0; index < decoder.Layers.Count; index++)
        {
            DecoderLayer layer = decoder.Layers[index];
            string prefix = ModelTensors.LayerPrefix(index);
            layer.Query = new AdapterLinear(layer.Query, prefix + "self_attn.q_proj", selection);
            layer.Key = new AdapterLinear(layer.Key, prefix + "self_attn.k_proj", selection);
            layer.Value = new AdapterLinear(layer.Value, prefix + "self_attn.v_proj", selection);
            layer.Output = new AdapterLinear(layer.Output, prefix + "self_attn.o_proj", selection);
            layer.Gate = new AdapterLinear(layer.Gate, prefix + "mlp.gate_proj", selection);
            layer.Up = new AdapterLinear(layer.Up, prefix + "mlp.up_proj", selection);
            layer.Down = new AdapterLinear(layer.Down, prefix + "mlp.down_proj", selection);
        }

        return selection;
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input) => WithAdditions(input, _base.Forward(input));

    /// <inheritdoc/>
    public override Tensor[] ForwardWith(Tensor input, params Linear[] others)
    {
        Tensor[] products = _base.ForwardWith(input, [.. others.Select(other => other is AdapterLinear adapted ? adapted._base : other)]);
        products[0] = WithAdditions(input, products[0]);
        for (int i = 0; i < others.Length; i++)
        {
            products[i + 1] = others[i] is AdapterLinear adapted ? adapted.WithAdditions(input, products[i + 1]) : products[i + 1];
        }

        return products;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _base.Dispose();
        base.Dispose(disposing);
    }

    private Tensor WithAdditions(Tensor input, Tensor output)
    {
        foreach ((long first, long? count, LoraAdapter adapter) in _selection.Rows)
        {
            if (adapter.Find(_name) is not (Tensor a, Tensor b))
            {
                continue;
            }

            using DisposeScope scope = NewDisposeScope();
            if (count is null)
            {
                output = output.AddTensor(Addition(input, a, b, adapter.Scale).to_type(output.dtype));
                output.MoveToOuterDisposeScope();
            }
            else
            {
                output.narrow(0, first, count.Value).AddTensor_(Addition(input.narrow(0, first, count.Value), a, b, adapter.Scale));
            }
        }

        return output;
    }

    private Tensor Addition(Tensor input, Tensor a, Tensor b, double scale)
    {
        Tensor wide = input.to_type(a.dtype);
        return ComputeDType is ScalarType dtype && dtype != a.dtype
            ? nn.functional.linear(nn.functional.linear(wide.to_type(dtype), a.to_type(dtype)), b.to_type(dtype)).to_type(a.dtype).MultiplyNumber(scale)
            : nn.functional.linear(nn.functional.linear(wide, a), b).MultiplyNumber(scale);
    }
}
