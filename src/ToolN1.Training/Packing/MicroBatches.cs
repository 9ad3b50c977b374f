namespace ToolN1.Training.Packing;

/// <summary>Cuts a step's groups into micro-batches.</summary>
internal static class MicroBatches
{
    /// <summary>Cuts into parts of nearly equal tokens whose number is a multiple of the lanes, so that no lane waits long for another.</summary>
    /// <param name="groups">In order; each goes into one part.</param>
    /// <param name="mostTokens">Of a part; a greater group goes alone.</param>
    /// <param name="lanes">Parts that run at once.</param>
    /// <returns>The fewest such parts, none empty: fewer than the lanes where there are fewer groups.</returns>
    public static IReadOnlyList<IReadOnlyList<RowGroup>> Split(IReadOnlyList<RowGroup> groups, int mostTokens, int lanes)
    {
        long total = groups.Sum(group => (long)group.TokenCount);
        long fewest = Math.Max(1, (total + mostTokens - 1) / mostTokens);
        for (long parts = (fewest + lanes - 1) / lanes * lanes; ; parts += lanes)
        {
            List<RowGroup>[] cut = Cut(groups, total, Math.Min(parts, groups.Count));
            if (parts >= groups.Count || cut.All(part => part.Count == 1 || part.Sum(group => (long)group.TokenCount) <= mostTokens))
            {
                return cut;
            }
        }
    }

    /// <summary>A group belongs to the part in which its middle lies, as far as no part stays empty.</summary>
    private static List<RowGroup>[] Cut(IReadOnlyList<RowGroup> groups, long total, long parts)
    {
        List<RowGroup>[] cut = [.. Enumerable.Range(0, (int)parts).Select(_ => new List<RowGroup>())];
        long before = 0;
        int part = 0;
        for (int i = 0; i < groups.Count; i++)
        {
            long wanted = total == 0 ? 0 : Math.Min(parts - 1, ((2 * before) + groups[i].TokenCount) * parts / (2 * total));
            bool mustMove = groups.Count - i <= parts - 1 - part;
            if (cut[part].Count > 0 && (wanted > part || mustMove) && part < parts - 1)
            {
                part++;
            }

            cut[part].Add(groups[i]);
            before += groups[i].TokenCount;
        }

        return cut;
    }
}
