using ToolN1.Engine.Kernels;
using ToolN1.Engine.Scheduling;

namespace ToolN1.Engine.Execution;

/// <summary>A scheduled batch as the model takes it: all tokens of all sequences in one dimension.</summary>
internal sealed class BatchInputs
{
    /// <summary>Lays a batch out.</summary>
    public BatchInputs(ScheduledBatch batch)
    {
        Ids = new long[batch.TokenCount];
        Positions = new long[batch.TokenCount];
        Slots = new long[batch.TokenCount];
        List<AttentionSegment> segments = new(batch.Items.Count);
        int row = 0;
        foreach ((Sequence sequence, int start, int count) in batch.Items)
        {
            segments.Add(new AttentionSegment(row, count, start + count, [.. sequence.Blocks.Blocks]));
            for (int position = start; position < start + count; position++, row++)
            {
                Ids[row] = sequence.Tokens[position];
                Positions[row] = position;
                Slots[row] = sequence.Blocks.Slot(position);
            }
        }

        Segments = segments;
    }

    /// <summary>Token of each row.</summary>
    public long[] Ids { get; }

    /// <summary>Position of each row within its sequence.</summary>
    public long[] Positions { get; }

    /// <summary>Cache slot of each row.</summary>
    public long[] Slots { get; }

    /// <summary>The sequences' rows, contexts and blocks.</summary>
    public IReadOnlyList<AttentionSegment> Segments { get; }
}
