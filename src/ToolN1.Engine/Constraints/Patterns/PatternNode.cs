namespace ToolN1.Engine.Constraints.Patterns;

/// <summary>A regular expression's syntax.</summary>
internal abstract record PatternNode
{
    private PatternNode()
    {
    }

    /// <summary>One character of a set.</summary>
    public sealed record Characters(CodePointSet Set) : PatternNode;

    /// <summary>Parts one after another; none is the empty match.</summary>
    public sealed record Concatenation(IReadOnlyList<PatternNode> Parts) : PatternNode;

    /// <summary>One of several.</summary>
    public sealed record Alternation(IReadOnlyList<PatternNode> Branches) : PatternNode;

    /// <summary>Repeated; a null maximum is unlimited.</summary>
    public sealed record Repetition(PatternNode Body, int Min, int? Max) : PatternNode;

    /// <summary>Holds at the beginning of the text only.</summary>
    public sealed record AtStart : PatternNode;

    /// <summary>Holds at the end of the text only.</summary>
    public sealed record AtEnd : PatternNode;
}
