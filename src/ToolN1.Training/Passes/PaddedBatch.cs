using ToolN1.Training.Packing;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training.Passes;

/// <summary>
/// A batch as autograd's products take it. oneDNN compiles a bf16 product for every number of rows and keeps it, so on a CPU padding
/// makes these few, as <see cref="PassPlan"/> does: tokens that see each other alone, and predictions that weigh nothing. On a GPU
/// the batch is as it was.
/// </summary>
internal sealed class PaddedBatch
{
    /// <summary>Pads a batch.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="pieces">How its predictions will be cut.</param>
    /// <param name="device">Where its products run.</param>
    public PaddedBatch(PackedBatch batch, HeadPieces pieces, Device device)
    {
        bool pads = device.type == DeviceType.CPU;
        int tokens = batch.TokenCount;
        long rows = pads ? PassPlan.Padded(tokens) : tokens;
        Ids = Padded(batch.Ids, rows);
        Positions = Padded(batch.Positions, rows);
        Spans = rows > tokens ? [.. batch.Spans, new AttentionSpan(tokens, Context: 0, tokens, Before: 0, (int)rows - tokens)] : batch.Spans;

        long[] sources = batch.Sources;
        long predictions = pads ? PassPlan.Padded(sources.Length, pieces.Alignment) : sources.Length;
        Sources = Padded(sources, predictions);
        Targets = Padded(batch.Targets, predictions);
        Weights = Padded(batch.Weights, predictions);
    }

    /// <summary>[rows].</summary>
    public long[] Ids { get; }

    /// <summary>[rows].</summary>
    public long[] Positions { get; }

    /// <summary>Who sees whom; covers every row once.</summary>
    public IReadOnlyList<AttentionSpan> Spans { get; }

    /// <summary>[predictions].</summary>
    public long[] Sources { get; }

    /// <summary>[predictions].</summary>
    public long[] Targets { get; }

    /// <summary>[predictions]; 0 of padding.</summary>
    public float[] Weights { get; }

    private static T[] Padded<T>(T[] values, long count)
    {
        Array.Resize(ref values, (int)count);
        return values;
    }
}
