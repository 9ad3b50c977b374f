namespace ToolN1.Engine.Constraints;

/// <summary>A schema that cannot be turned into a constraint. Nothing is generated unconstrained in its place.</summary>
public sealed class ConstraintException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="pointer">JSON pointer of the keyword within the schema; empty for the whole schema.</param>
    /// <param name="reason">What is wrong, without the pointer.</param>
    /// <param name="tool">The tool whose parameters the schema describes, or null.</param>
    public ConstraintException(string pointer, string reason, string? tool = null)
        : base((tool is null ? "" : $"tool '{tool}': ") + (pointer.Length == 0 ? reason : $"{pointer}: {reason}"))
    {
        Pointer = pointer;
        Reason = reason;
        Tool = tool;
    }

    /// <summary>The tool whose parameters the schema describes; null for the schema of an answer.</summary>
    public string? Tool { get; }

    /// <summary>JSON pointer of the keyword within the schema; empty for the whole schema.</summary>
    public string Pointer { get; }

    /// <summary>What is wrong, without the pointer.</summary>
    public string Reason { get; }
}
