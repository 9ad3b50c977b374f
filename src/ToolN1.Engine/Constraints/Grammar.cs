using ToolN1.Engine.Constraints.Automata;

namespace ToolN1.Engine.Constraints;

/// <summary>A compiled grammar: what an answer may be. Immutable; shared between sequences.</summary>
internal sealed class Grammar
{
    /// <summary>Wraps a settled rule.</summary>
    /// <param name="root">The rule of the whole answer.</param>
    /// <param name="maxNesting">Objects and arrays within each other.</param>
    public Grammar(Rule root, int maxNesting)
    {
        Root = new Frame(root, root.Start, null, maxNesting - (root.IsContainer ? 1 : 0));
        HashSet<Rule> seen = [root];
        List<Rule> order = [root];
        for (int i = 0; i < order.Count; i++)
        {
            order.AddRange(order[i].Callees.Where(seen.Add));
            MaxGrowth = Math.Max(MaxGrowth, order[i].MaxGrowth);
        }
    }

    /// <summary>The stack before the first byte.</summary>
    public Frame Root { get; }

    /// <summary>Bytes by which one token may lengthen the shortest completion, where it makes one choice.</summary>
    public int MaxGrowth { get; }
}
