using System.ComponentModel;
using System.Text.Json.Serialization;
using ToolN1.Engine.Chat;

namespace ToolN1.Api.Contracts;

/// <summary>Exact token counts of an answer.</summary>
[Description("Exact token counts.")]
internal sealed record Usage
{
    [Description("Tokens of the prompt, cached ones included; where the model was asked a second time for an answer in words, of both prompts.")]
    public required int PromptTokens { get; init; }

    [Description("Tokens generated, the ending one included, over all choices.")]
    public required int CompletionTokens { get; init; }

    [Description("Their sum.")]
    public required int TotalTokens { get; init; }

    [Description("More on the prompt's tokens.")]
    public required PromptTokensDetails PromptTokensDetails { get; init; }

    [Description("More on the generated tokens; absent for text completions.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public CompletionTokensDetails? CompletionTokensDetails { get; init; }

    /// <summary>
    /// Counts of a chat answer. The prompt that its choices share counts once; so does the second prompt of those choices
    /// whose model was asked again for words.
    /// </summary>
    public static Usage Of(IReadOnlyList<ChatUsage> choices)
    {
        ChatUsage? again = choices.FirstOrDefault(choice => choice.SecondPromptTokens > 0);
        int prompt = choices[0].PromptTokens + (again?.SecondPromptTokens ?? 0);
        int completion = choices.Sum(choice => choice.CompletionTokens);
        return new Usage
        {
            PromptTokens = prompt,
            CompletionTokens = completion,
            TotalTokens = prompt + completion,
            PromptTokensDetails = new PromptTokensDetails { CachedTokens = choices[0].CachedPromptTokens + (again?.CachedSecondPromptTokens ?? 0) },
            CompletionTokensDetails = new CompletionTokensDetails { ReasoningTokens = choices.Sum(choice => choice.ReasoningTokens) },
        };
    }
}

/// <summary>More on the prompt's tokens.</summary>
[Description("More on the prompt's tokens.")]
internal sealed record PromptTokensDetails
{
    [Description("Those found in the prefix cache.")]
    public required int CachedTokens { get; init; }
}

/// <summary>More on the generated tokens.</summary>
[Description("More on the generated tokens.")]
internal sealed record CompletionTokensDetails
{
    [Description("Those spent on reasoning.")]
    public required int ReasoningTokens { get; init; }
}
