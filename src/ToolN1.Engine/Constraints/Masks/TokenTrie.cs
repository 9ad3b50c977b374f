namespace ToolN1.Engine.Constraints.Masks;

/// <summary>
/// Tokens by their bytes, as a tree in depth-first order, so that a walk is one scan with jumps. Node 0 is the root; the
/// descendants of a node are the nodes after it up to its end.
/// </summary>
internal sealed class TokenTrie
{
    /// <summary>Builds a tree.</summary>
    /// <param name="entries">Bytes (at least one) and token ids; bytes may repeat.</param>
    public TokenTrie(List<(ReadOnlyMemory<byte> Bytes, int Token)> entries)
    {
        entries.Sort(static (a, b) => a.Bytes.Span.SequenceCompareTo(b.Bytes.Span));
        List<byte> labels = [0];
        List<byte> depths = [0];
        List<int> firstTokens = [0];
        List<int> tokens = [];
        List<int> ends = [0];
        List<int> path = [0];
        ReadOnlyMemory<byte> before = default;
        foreach ((ReadOnlyMemory<byte> bytes, int token) in entries)
        {
            int shared = before.Span.CommonPrefixLength(bytes.Span);
            Close(shared);
            for (int i = shared; i < bytes.Length; i++)
            {
                path.Add(labels.Count);
                labels.Add(bytes.Span[i]);
                depths.Add(checked((byte)(i + 1)));
                firstTokens.Add(tokens.Count);
                ends.Add(0);
            }

            // A node's tokens lie together because its own come before its children are made.
            tokens.Add(token);
            before = bytes;
        }

        Close(-1);
        firstTokens.Add(tokens.Count);
        Labels = [.. labels];
        Depths = [.. depths];
        FirstTokens = [.. firstTokens];
        Tokens = [.. tokens];
        Ends = [.. ends];

        void Close(int depth)
        {
            while (path.Count > depth + 1)
            {
                ends[path[^1]] = labels.Count;
                path.RemoveAt(path.Count - 1);
            }
        }
    }

    /// <summary>The byte that leads to a node.</summary>
    public byte[] Labels { get; }

    /// <summary>Bytes from the root to a node.</summary>
    public byte[] Depths { get; }

    /// <summary>For each node one past its last descendant.</summary>
    public int[] Ends { get; }

    /// <summary>For each node where its own tokens begin in <see cref="Tokens"/>; they end where the next node's begin.</summary>
    public int[] FirstTokens { get; }

    /// <summary>Token ids by node.</summary>
    public int[] Tokens { get; }

    /// <summary>Nodes.</summary>
    public int Count => Labels.Length;

    /// <summary>Whether anything lies below a node.</summary>
    public bool HasChildren(int node) => Ends[node] > node + 1;

    /// <summary>The child by a byte, or -1.</summary>
    public int Child(int node, byte label)
    {
        for (int child = node + 1; child < Ends[node]; child = Ends[child])
        {
            if (Labels[child] == label)
            {
                return child;
            }
        }

        return -1;
    }

    /// <summary>Everything below a set of nodes, as one tree without their own tokens.</summary>
    public TokenTrie Below(List<int> nodes)
    {
        List<(ReadOnlyMemory<byte> Bytes, int Token)> entries = [];
        foreach (int node in nodes)
        {
            int depth = Depths[node];
            byte[] path = new byte[256];
            for (int i = node + 1; i < Ends[node]; i++)
            {
                path[Depths[i] - depth - 1] = Labels[i];
                for (int t = FirstTokens[i]; t < FirstTokens[i + 1]; t++)
                {
                    entries.Add((path.AsSpan(0, Depths[i] - depth).ToArray(), Tokens[t]));
                }
            }
        }

        return new TokenTrie(entries);
    }
}
