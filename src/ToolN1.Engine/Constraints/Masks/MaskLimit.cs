namespace ToolN1.Engine.Constraints.Masks;

/// <summary>How long the rest of an answer may become by a token, where the token limit is near.</summary>
/// <param name="MaxBytes">A token is allowed when at most this many bytes complete the answer after it.</param>
/// <param name="MaxLeafBytes">
/// The same for tokens that stay within a string or a free text, before their own growth: what follows these is known
/// token by token, so that they may go on for longer.
/// </param>
internal readonly record struct MaskLimit(int MaxBytes, int MaxLeafBytes)
{
    /// <summary>The token limit is far away.</summary>
    public static MaskLimit None => new(int.MaxValue, int.MaxValue);
}
