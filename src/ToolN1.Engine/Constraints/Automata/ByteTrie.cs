namespace ToolN1.Engine.Constraints.Automata;

/// <summary>A set of byte strings as a tree with sorted edges. Node 0 is the root.</summary>
internal sealed class ByteTrie
{
    private readonly int[] _firstEdge;
    private readonly byte[] _labels;
    private readonly int[] _targets;

    /// <summary>Builds the tree.</summary>
    /// <param name="entries">Distinct byte strings.</param>
    public ByteTrie(IReadOnlyList<byte[]> entries)
    {
        int[] order = [.. Enumerable.Range(0, entries.Count)];
        Array.Sort(order, (a, b) => entries[a].AsSpan().SequenceCompareTo(entries[b]));
        List<int> firstEdge = [];
        List<byte> labels = [];
        List<int> targets = [];
        List<int> entryAt = [];
        List<int> distance = [];
        Queue<(int Node, int From, int To, int Depth)> queue = new();
        int nodes = 1;
        queue.Enqueue((0, 0, order.Length, 0));
        while (queue.TryDequeue(out (int Node, int From, int To, int Depth) item))
        {
            firstEdge.Add(labels.Count);
            entryAt.Add(-1);
            int shortest = Rule.Never;
            int from = item.From;
            if (from < item.To && entries[order[from]].Length == item.Depth)
            {
                entryAt[^1] = order[from++];
            }

            for (int k = item.From; k < item.To; k++)
            {
                shortest = Math.Min(shortest, entries[order[k]].Length - item.Depth);
            }

            distance.Add(shortest);
            while (from < item.To)
            {
                byte label = entries[order[from]][item.Depth];
                int end = from + 1;
                while (end < item.To && entries[order[end]][item.Depth] == label)
                {
                    end++;
                }

                labels.Add(label);
                targets.Add(nodes);
                queue.Enqueue((nodes++, from, end, item.Depth + 1));
                from = end;
            }
        }

        firstEdge.Add(labels.Count);
        _firstEdge = [.. firstEdge];
        _labels = [.. labels];
        _targets = [.. targets];
        EntryAt = [.. entryAt];
        ShortestFrom = [.. distance];
        LongestEntry = entries.Count == 0 ? 0 : entries.Max(entry => entry.Length);
    }

    /// <summary>Nodes.</summary>
    public int Count => EntryAt.Length;

    /// <summary>For each node the entry that ends there, or -1.</summary>
    public int[] EntryAt { get; }

    /// <summary>For each node the bytes to the nearest end of an entry.</summary>
    public int[] ShortestFrom { get; }

    /// <summary>Bytes of the longest entry.</summary>
    public int LongestEntry { get; }

    /// <summary>The child by a byte, or -1.</summary>
    public int Child(int node, byte label)
    {
        int low = _firstEdge[node];
        int found = _labels.AsSpan(low, _firstEdge[node + 1] - low).BinarySearch(label);
        return found < 0 ? -1 : _targets[low + found];
    }

    /// <summary>Whether a node has children.</summary>
    public bool HasChildren(int node) => _firstEdge[node] < _firstEdge[node + 1];

    /// <summary>The children of a node.</summary>
    public ReadOnlySpan<int> Children(int node) => _targets.AsSpan(_firstEdge[node], _firstEdge[node + 1] - _firstEdge[node]);
}
