using System.ComponentModel;
using System.Text.Json.Serialization;

namespace ToolN1.Api.Contracts;

/// <summary>The tokens of a text or conversation.</summary>
[Description("The tokens of a text or a conversation.")]
internal sealed record TokenizeResponse
{
    [Description("How many tokens.")]
    public required int Count { get; init; }

    [Description("Tokens of prompt and answer together that one request may have.")]
    public required int MaxModelLen { get; init; }

    [Description("The token ids.")]
    public required IReadOnlyList<int> Tokens { get; init; }

    [Description("Each token's text, with `return_token_strs`; absent otherwise.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? TokenStrs { get; init; }
}

/// <summary>The text of tokens.</summary>
[Description("The text of tokens.")]
internal sealed record DetokenizeResponse
{
    [Description("The text, control tokens included.")]
    public required string Prompt { get; init; }
}
