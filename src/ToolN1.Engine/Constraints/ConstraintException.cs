namespace ToolN1.Engine.Constraints;

/// <summary>A schema that cannot be turned into a constraint. Nothing is generated unconstrained in its place.</summary>
public sealed class ConstraintException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="pointer">JSON pointer of the keyword within the schema; empty for the whole schema.</param>
    /// <param name="reason">What is wrong, without the pointer.</param>
    public ConstraintException(string pointer, string reason)
        : base(pointer.Length == 0 ? reason : $"{pointer}: {reason}")
    {
        Pointer = pointer;
        Reason = reason;
    }

    /// <summary>JSON pointer of the keyword within the schema; empty for the whole schema.</summary>
    public string Pointer { get; }

    /// <summary>What is wrong, without the pointer.</summary>
    public string Reason { get; }
}
