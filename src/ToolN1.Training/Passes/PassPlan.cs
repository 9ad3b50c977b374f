using static TorchSharp.torch;

namespace ToolN1.Training.Passes;

/// <summary>How a batch lies in a pass's tensors, which belong to the batch's dispose scope.</summary>
internal sealed class PassPlan
{
    /// <summary>Rows are padded to this, so that products have few different shapes.</summary>
    public const int RowAlignment = 128;

    /// <summary>Plans a batch.</summary>
    /// <param name="layout">Its attention.</param>
    /// <param name="tokens">Its tokens.</param>
    /// <param name="angles">f32, of each token's position.</param>
    public PassPlan(AttentionLayout layout, long tokens, (Tensor Cosine, Tensor Sine) angles)
    {
        Layout = layout;
        Rows = Padded(tokens);
        (Cosine, Sine) = angles;
    }

    /// <summary>Where tokens lie while attention runs.</summary>
    public AttentionLayout Layout { get; }

    /// <summary>Rows of products: tokens, then padding.</summary>
    public long Rows { get; }

    /// <summary>Slots of attention.</summary>
    public long Slots => Layout.Slots;

    /// <summary>[tokens, 1, headDim / 2].</summary>
    public Tensor Cosine { get; }

    /// <summary>[tokens, 1, headDim / 2].</summary>
    public Tensor Sine { get; }

    /// <summary>Rows rounded up to whole products, or to a multiple of another alignment.</summary>
    public static long Padded(long rows, int alignment = RowAlignment) => (rows + alignment - 1) / alignment * alignment;

    /// <summary>Rows rounded down to whole products, at least one.</summary>
    public static long Whole(long rows) => Math.Max(1, rows / RowAlignment) * RowAlignment;
}
