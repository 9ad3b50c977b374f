namespace ToolN1.Training.Packing;

/// <summary>Shares a step's groups among lanes and cuts each lane's into micro-batches.</summary>
internal static class MicroBatches
{
    /// <summary>Gives every lane nearly as many tokens, so that none waits long for another, and cuts what a lane got into parts of nearly equal tokens.</summary>
    /// <param name="groups">Each goes into one part.</param>
    /// <param name="mostTokens">Of a part; a greater group goes alone.</param>
    /// <param name="lanes">Run at once, each its parts one after the other.</param>
    /// <typeparam name="T">A group and what goes with it.</typeparam>
    /// <param name="tokens">Of a group.</param>
    /// <returns>The parts of each lane, none empty: fewer lanes where there are fewer groups, as few parts as the limit allows, groups in their order within a lane.</returns>
    public static IReadOnlyList<IReadOnlyList<IReadOnlyList<T>>> Split<T>(IReadOnlyList<T> groups, Func<T, int> tokens, int mostTokens, int lanes) =>
        [.. Share(groups, tokens, Math.Min(lanes, groups.Count)).Select(share => Cut(share, tokens, mostTokens))];

    /// <summary>The greatest group first, each to the lane that has least.</summary>
    private static IEnumerable<IReadOnlyList<T>> Share<T>(IReadOnlyList<T> groups, Func<T, int> tokens, int lanes)
    {
        long[] loads = new long[lanes];
        int[] lanesOf = new int[groups.Count];
        foreach (int i in Enumerable.Range(0, groups.Count).OrderByDescending(i => tokens(groups[i])))
        {
            int lane = Array.IndexOf(loads, loads.Min());
            loads[lane] += tokens(groups[i]);
            lanesOf[i] = lane;
        }

        return Enumerable.Range(0, lanes).Select(lane => groups.Where((_, i) => lanesOf[i] == lane).ToArray());
    }

    private static List<T>[] Cut<T>(IReadOnlyList<T> groups, Func<T, int> tokens, int mostTokens)
    {
        long total = groups.Sum(group => (long)tokens(group));
        for (long parts = Math.Max(1, (total + mostTokens - 1) / mostTokens); ; parts++)
        {
            List<T>[] cut = CutInto(groups, tokens, total, Math.Min(parts, groups.Count));
            if (parts >= groups.Count || cut.All(part => part.Count == 1 || part.Sum(group => (long)tokens(group)) <= mostTokens))
            {
                return cut;
            }
        }
    }

    /// <summary>A group belongs to the part in which its middle lies, as far as no part stays empty.</summary>
    private static List<T>[] CutInto<T>(IReadOnlyList<T> groups, Func<T, int> tokens, long total, long parts)
    {
        List<T>[] cut = [.. Enumerable.Range(0, (int)parts).Select(_ => new List<T>())];
        long before = 0;
        int part = 0;
        for (int i = 0; i < groups.Count; i++)
        {
            long wanted = total == 0 ? 0 : Math.Min(parts - 1, ((2 * before) + tokens(groups[i])) * parts / (2 * total));
            bool mustMove = groups.Count - i <= parts - 1 - part;
            if (cut[part].Count > 0 && (wanted > part || mustMove) && part < parts - 1)
            {
                part++;
            }

            cut[part].Add(groups[i]);
            before += tokens(groups[i]);
        }

        return cut;
    }
}
