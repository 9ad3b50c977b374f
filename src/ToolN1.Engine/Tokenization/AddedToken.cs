namespace ToolN1.Engine.Tokenization;

/// <summary>An entry of added_tokens.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">Its text.</param>
/// <param name="Special">Left out when decoding without special tokens.</param>
/// <param name="Normalized">Looked for in the normalized text.</param>
internal sealed record AddedToken(int Id, string Content, bool Special, bool Normalized);
