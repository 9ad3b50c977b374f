namespace ToolN1.Engine.Constraints;

/// <summary>What compiling one schema may cost, and how deep its values may nest. Beyond a limit it is refused.</summary>
public sealed record ConstraintBudget
{
    /// <summary>The budgets the server uses.</summary>
    public static ConstraintBudget Default { get; } = new();

    /// <summary>Bytes of schema text.</summary>
    public int MaxSchemaBytes { get; init; } = 1 << 20;

    /// <summary>Nesting of the schema itself, references followed.</summary>
    public int MaxSchemaDepth { get; init; } = 96;

    /// <summary>Subschemas after merging; each allOf, anyOf combination counts.</summary>
    public int MaxSubschemas { get; init; } = 20_000;

    /// <summary>Automaton states that are stored, of one schema.</summary>
    public int MaxStates { get; init; } = 400_000;

    /// <summary>Time of compiling, as <see cref="ThreadClock"/> counts it.</summary>
    public TimeSpan MaxTime { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Objects and arrays within each other in a generated value (JSON readers commonly stop at 64).</summary>
    public int MaxNesting { get; init; } = 48;
}
