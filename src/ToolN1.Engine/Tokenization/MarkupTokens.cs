namespace ToolN1.Engine.Tokenization;

/// <summary>Which added tokens are markup: the chat format's tags, which are text to a parser, and control tokens, which are none.</summary>
internal static class MarkupTokens
{
    /// <summary>Opens thinking.</summary>
    public const string ThinkOpen = "<think>";

    /// <summary>Closes thinking.</summary>
    public const string ThinkClose = "</think>";

    /// <summary>Opens calls.</summary>
    public const string CallOpen = "<tool_call>";

    /// <summary>Closes calls.</summary>
    public const string CallClose = "</tool_call>";

    /// <summary>Whether a text is one of the tags.</summary>
    public static bool IsTag(string text) => text is ThinkOpen or ThinkClose or CallOpen or CallClose;

    /// <summary>Whether an id is an added token that never is a part of a text: special, or in angle brackets and not a tag.</summary>
    public static bool IsControl(Tokenizer tokenizer, int id) =>
        tokenizer.AddedTokenText(id) is { } text
        && !IsTag(text)
        && (tokenizer.IsSpecial(id) || (text.StartsWith('<') && text.EndsWith('>')));
}
