namespace ToolN1.Training.Evaluation.Python;

/// <summary>The Python type that a value has after <c>json.loads</c> or <c>ast</c> decoding.</summary>
internal enum PyKind : byte
{
    None,
    Bool,
    Int,
    Float,
    Str,
    List,
    Dict,

    /// <summary>Only the ACEBench text decoder makes tuples; a tuple never equals a list.</summary>
    Tuple,
}
