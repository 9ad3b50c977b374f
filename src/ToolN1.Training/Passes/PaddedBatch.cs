using ToolN1.Training.Packing;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training.Passes;

/// <summary>
/// A batch's tokens as autograd's products take them. oneDNN compiles a bf16 product for every number of rows and keeps it, so on a
/// CPU padding makes these few, as <see cref="PassPlan"/> does; it sees itself alone, and no prediction looks at it.
/// </summary>
internal sealed class PaddedBatch
{
    /// <summary>Pads a batch.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="device">Where its products run.</param>
    public PaddedBatch(PackedBatch batch, Device device)
    {
        int tokens = batch.TokenCount;
        int padding = (int)Rows(tokens, PassPlan.RowAlignment, device) - tokens;
        Ids = Padded(batch.Ids, tokens + padding);
        Positions = Padded(batch.Positions, tokens + padding);
        Spans = padding > 0 ? [.. batch.Spans, new AttentionSpan(tokens, Context: 0, tokens, Before: 0, padding)] : batch.Spans;
    }

    /// <summary>[rows].</summary>
    public long[] Ids { get; }

    /// <summary>[rows].</summary>
    public long[] Positions { get; }

    /// <summary>Who sees whom; covers every row once.</summary>
    public IReadOnlyList<AttentionSpan> Spans { get; }

    /// <summary>Rows rounded up to a multiple; on a GPU as they are.</summary>
    public static long Rows(long rows, long alignment, Device device) => device.type == DeviceType.CPU ? (rows + alignment - 1) / alignment * alignment : rows;

    /// <summary>Values with zeros behind them.</summary>
    public static long[] Padded(long[] values, long count)
    {
        Array.Resize(ref values, (int)count);
        return values;
    }
}
