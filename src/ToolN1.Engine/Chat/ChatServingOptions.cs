using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace ToolN1.Engine.Chat;

/// <summary>How conversations are served; section <c>ToolN1:Chat</c>. A request may say otherwise where a field exists for it.</summary>
public sealed class ChatServingOptions
{
    /// <summary>The section's name.</summary>
    public const string SectionName = "ToolN1:Chat";

    /// <summary>
    /// Where tools are offered, the model calls none and writes nothing: whether it is asked a second time, without the tools,
    /// so that the caller gets an answer in words (<see cref="ChatRequest.AnswersInWords"/>).
    /// </summary>
    public bool AnswerInWords { get; set; } = true;

    /// <summary>Whether earlier reasoning that a client sends back is shown to the model. Its training had none there.</summary>
    public bool KeepReasoning { get; set; }

    /// <summary>Thinking tokens of the reasoning effort <c>minimal</c>.</summary>
    [Range(0, 1 << 24)]
    public int MinimalThinkingTokens { get; set; } = 64;

    /// <summary>Thinking tokens of the reasoning effort <c>low</c>.</summary>
    [Range(0, 1 << 24)]
    public int LowThinkingTokens { get; set; } = 256;

    /// <summary>Thinking tokens of the reasoning effort <c>medium</c>.</summary>
    [Range(0, 1 << 24)]
    public int MediumThinkingTokens { get; set; } = 1024;

    /// <summary>Thinking tokens of the reasoning effort <c>high</c>.</summary>
    [Range(0, 1 << 24)]
    public int HighThinkingTokens { get; set; } = 4096;

    /// <summary>The budget of a reasoning effort by its OpenAI name.</summary>
    /// <returns>0 for <c>none</c>.</returns>
    /// <exception cref="ArgumentException">An unknown name.</exception>
    public int ThinkingTokens(string effort) => effort switch
    {
        "none" => 0,
        "minimal" => MinimalThinkingTokens,
        "low" => LowThinkingTokens,
        "medium" => MediumThinkingTokens,
        "high" => HighThinkingTokens,
        _ => throw new ArgumentException($"'{effort}' is not a reasoning effort.", nameof(effort)),
    };
}

/// <summary>Checks of <see cref="ChatServingOptions"/>, generated from its attributes.</summary>
[OptionsValidator]
internal sealed partial class ChatServingOptionsValidator : IValidateOptions<ChatServingOptions>;
