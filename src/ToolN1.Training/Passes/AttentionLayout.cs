using ToolN1.Training.Packing;

namespace ToolN1.Training.Passes;

/// <summary>
/// Where a packed batch's tokens lie while attention runs. Each group's prefix and each group's rows begin at a multiple of
/// <see cref="Alignment"/> slots and are cut into pieces, so that products have few different shapes (the library
/// compiles a kernel for each) and several short rows share one.
/// </summary>
internal sealed class AttentionLayout
{
    /// <summary>Slots are given out in multiples of this.</summary>
    public const int Alignment = 64;

    /// <summary>Most queries of a piece.</summary>
    public const int PieceSlots = 256;

    private readonly List<AttentionPiece> _pieces = [];

    /// <summary>Lays out a batch.</summary>
    /// <param name="spans">Covering every token once, in order; a group's prefix before its rows.</param>
    /// <param name="tokens">Tokens of the batch.</param>
    public AttentionLayout(IReadOnlyList<AttentionSpan> spans, int tokens)
    {
        TokenSlots = new int[tokens];
        List<SlotSight> sights = [];
        for (int i = 0; i < spans.Count;)
        {
            int groupStart = spans[i].GroupStart;
            int end = i;
            while (end < spans.Count && spans[end].GroupStart == groupStart)
            {
                end++;
            }

            AttentionSpan[] group = [.. spans.Skip(i).Take(end - i)];
            int context = group.Max(span => span.Context);
            int contextSlot = sights.Count;
            if (context > 0)
            {
                Place(group.Where(span => span.Context == 0), sights);
                Cut(contextSlot, contextSlot, 0, 0, sights);
            }

            int rowSlot = sights.Count;
            Place(group.Where(span => context == 0 || span.Context > 0), sights);
            Cut(rowSlot, contextSlot, rowSlot - contextSlot, context, sights);
            i = end;
        }

        Sights = [.. sights];
    }

    /// <summary>Slots in all, a multiple of <see cref="Alignment"/>.</summary>
    public int Slots => Sights.Length;

    /// <summary>[tokens]: the slot of each.</summary>
    public int[] TokenSlots { get; }

    /// <summary>[slots]: what each sees of its own run.</summary>
    public SlotSight[] Sights { get; }

    /// <summary>Queries that are multiplied together.</summary>
    public IReadOnlyList<AttentionPiece> Pieces => _pieces;

    private void Place(IEnumerable<AttentionSpan> spans, List<SlotSight> sights)
    {
        int runSlot = 0;
        foreach (AttentionSpan span in spans)
        {
            runSlot = span.Before == 0 ? sights.Count : runSlot;
            for (int i = 0; i < span.Length; i++)
            {
                TokenSlots[span.QueryStart + i] = sights.Count;
                sights.Add(new SlotSight(runSlot, sights.Count + 1));
            }
        }

        while (sights.Count % Alignment != 0)
        {
            sights.Add(default);
        }
    }

    private void Cut(int start, int contextSlot, int contextSlots, int context, List<SlotSight> sights)
    {
        for (int from = start; from < sights.Count; from += PieceSlots)
        {
            int to = Math.Min(from + PieceSlots, sights.Count);
            int firstKey = start + ((sights[from].From - start) / Alignment * Alignment);
            _pieces.Add(new AttentionPiece(from, to - from, contextSlot, contextSlots, context, firstKey, to - firstKey));
        }
    }
}

/// <summary>The keys of its own run that a slot sees, as slots; empty for padding.</summary>
/// <param name="From">First.</param>
/// <param name="To">After the last.</param>
internal readonly record struct SlotSight(int From, int To);

/// <summary>Queries and the two stretches of keys that they meet: the group's prefix, and what is near.</summary>
/// <param name="QuerySlot">First query.</param>
/// <param name="Queries">Queries.</param>
/// <param name="ContextSlot">First slot of the prefix.</param>
/// <param name="ContextSlots">Slots of the prefix, padding included; 0 where queries have none.</param>
/// <param name="Context">Tokens of the prefix.</param>
/// <param name="KeySlot">First near key.</param>
/// <param name="Keys">Near keys; which of them a query sees is in its <see cref="SlotSight"/>.</param>
internal readonly record struct AttentionPiece(int QuerySlot, int Queries, int ContextSlot, int ContextSlots, int Context, int KeySlot, int Keys);
