using ToolN1.Engine.Kernels;
using static TorchSharp.torch;

namespace ToolN1.Engine.Model;

/// <summary>
/// Attention written out (product, mask, softmax, product) over rows of equal length flattened to [rows × length], with a
/// given additive mask. Works under autograd, without copies of grouped keys and values. For training and as the reference
/// that other backends are tested against; at training lengths it is faster than the fused kernel on CPUs.
/// </summary>
public sealed class DenseAttention : IAttention
{
    private readonly long _rows;
    private readonly long _length;
    private readonly Tensor _mask;

    /// <summary>Wraps a mask.</summary>
    /// <param name="mask">[rows, length, length] or [1, length, length] in the model's dtype: 0 where a query (second dimension) sees a key (last), −∞ elsewhere; every query sees at least one key. The caller owns it.</param>
    /// <param name="rows">Rows of the batch.</param>
    public DenseAttention(Tensor mask, long rows)
    {
        if (mask.dim() != 3 || mask.shape[1] != mask.shape[2] || (mask.shape[0] != 1 && mask.shape[0] != rows))
        {
            throw new ArgumentException($"The mask must be [{rows} or 1, length, length], not [{string.Join(", ", mask.shape)}].", nameof(mask));
        }

        _rows = rows;
        _length = mask.shape[1];
        _mask = mask;
    }

    /// <summary>The mask in which each token sees itself and all before it.</summary>
    /// <param name="length">Tokens of each row.</param>
    /// <param name="dtype">The model's dtype.</param>
    /// <param name="device">The model's device.</param>
    /// <returns>[1, length, length], in the current dispose scope.</returns>
    public static Tensor CausalMask(long length, ScalarType dtype, Device device) =>
        NumberOps.Filled([1, length, length], double.NegativeInfinity, dtype, device).triu_(1);

    /// <inheritdoc/>
    public Tensor Attend(int layer, Tensor query, Tensor key, Tensor value)
    {
        long heads = query.shape[1];
        long width = query.shape[2];
        long keyHeads = key.shape[1];
        long group = heads / keyHeads;

        // Heads of one group become more query rows of their shared key head, so keys and values are never repeated.
        Tensor queries = query.MultiplyNumber(1 / Math.Sqrt(width))
            .view(_rows, _length, keyHeads, group, width).permute(0, 2, 3, 1, 4).reshape(_rows * keyHeads, group * _length, width);
        Tensor keys = key.view(_rows, _length, keyHeads, width).permute(0, 2, 3, 1).reshape(_rows * keyHeads, width, _length);
        Tensor values = value.view(_rows, _length, keyHeads, width).transpose(1, 2).reshape(_rows * keyHeads, _length, width);

        Tensor scores = bmm(queries, keys).view(_rows, keyHeads * group, _length, _length).AddTensor_(_mask.unsqueeze(1));
        Tensor weights = nn.functional.softmax(scores, -1, ScalarType.Float32).to_type(query.dtype);
        Tensor mixed = bmm(weights.view(_rows * keyHeads, group * _length, _length), values);
        return mixed.view(_rows, keyHeads, group, _length, width).permute(0, 3, 1, 2, 4).reshape(_rows * _length, heads * width);
    }
}
