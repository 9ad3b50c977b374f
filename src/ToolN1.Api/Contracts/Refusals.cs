namespace ToolN1.Api.Contracts;

/// <summary>Reasons that several fields share.</summary>
internal static class Refusals
{
    /// <summary>Images, sound and files.</summary>
    public const string TextOnly = "The served model reads and writes text only.";

    /// <summary>What would need a memory of earlier answers.</summary>
    public const string Stateless = "Answers are not stored: send the whole conversation.";
}
