using System.ComponentModel;
using System.Text.Json.Serialization;

namespace ToolN1.Api.Contracts;

/// <summary>The answer of a chat completion.</summary>
[Description("The answer of a chat completion.")]
internal sealed record ChatCompletion
{
    [Description("Unique id of the answer.")]
    public required string Id { get; init; }

    [Description("Always `chat.completion`.")]
    public string Object { get; init; } = "chat.completion";

    [Description("When it was made, in seconds since 1970.")]
    public required long Created { get; init; }

    [Description("The model that answered.")]
    public required string Model { get; init; }

    [Description("The answers, `n` of them.")]
    public required IReadOnlyList<ChatChoice> Choices { get; init; }

    [Description("Exact token counts.")]
    public required Usage Usage { get; init; }

    [Description("Always `default`.")]
    public string ServiceTier { get; init; } = "default";

    [Description("Changes with the weights; with the same seed and fingerprint, the same request gives the same answer (see the documentation on determinism).")]
    public required string SystemFingerprint { get; init; }
}

/// <summary>One answer.</summary>
[Description("One answer.")]
internal sealed record ChatChoice
{
    [Description("Its number, from 0.")]
    public required int Index { get; init; }

    [Description("What the model said.")]
    public required AssistantAnswer Message { get; init; }

    [Description("Log-probabilities of the generated tokens, or null.")]
    public ChatLogProbs? Logprobs { get; init; }

    [Description("Why it ended: `stop` (end of turn or a stop text), `tool_calls` (it holds calls; `function_call` where the request offers `functions`) or `length` (token limit; an unfinished call is not reported).")]
    public required string FinishReason { get; init; }
}

/// <summary>What the model said.</summary>
[Description("What the model said.")]
internal sealed record AssistantAnswer
{
    [Description("Always `assistant`.")]
    public string Role { get; init; } = "assistant";

    [Description("The visible text; null where there are only calls.")]
    public required string? Content { get; init; }

    [Description("Always null: the served model has no separate refusals.")]
    public string? Refusal { get; init; }

    [Description("The model's reasoning, where it gave one.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ReasoningContent { get; init; }

    [Description("The same as `reasoning_content`, where the request has `include_reasoning: true`.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Reasoning { get; init; }

    [Description("The calls, in order; absent where there are none.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ToolCallBody>? ToolCalls { get; init; }

    [Description("The call, where the request offers `functions`; absent otherwise.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public FunctionCallBody? FunctionCall { get; init; }
}

/// <summary>A call of a tool.</summary>
[Description("A call of a tool.")]
internal sealed record ToolCallBody
{
    [Description("In streamed chunks: which call the piece belongs to, from 0.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Index { get; init; }

    [Description("Unique id of the call; the `tool` message with its result names it.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Id { get; init; }

    [Description("Always `function`.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Type { get; init; }

    [Description("The called function.")]
    public required FunctionCallBody Function { get; init; }

    [Description("True where no offered tool has this name (the model made it up); absent otherwise. An extension of this server.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? UnknownTool { get; init; }
}

/// <summary>The called function.</summary>
[Description("The called function.")]
internal sealed record FunctionCallBody
{
    [Description("The function's name.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }

    [Description("The arguments as the JSON text that the model wrote; in streamed chunks, a piece of it.")]
    public required string Arguments { get; init; }
}

/// <summary>Log-probabilities of an answer.</summary>
[Description("Log-probabilities of an answer.")]
internal sealed record ChatLogProbs
{
    [Description("One entry for every generated token of text, reasoning and call markup included, control tokens not.")]
    public required IReadOnlyList<TokenLogProbBody> Content { get; init; }

    [Description("Always null: the served model has no separate refusals.")]
    public IReadOnlyList<TokenLogProbBody>? Refusal { get; init; }
}

/// <summary>A token and its log-probability.</summary>
[Description("A generated token with its log-probability and the likeliest alternatives.")]
internal sealed record TokenLogProbBody
{
    [Description("The token's text; replacement characters where it is only a part of a character.")]
    public required string Token { get; init; }

    [Description("Natural log-probability under the model's own distribution, before temperature and penalties.")]
    public required float Logprob { get; init; }

    [Description("The token's UTF-8 bytes.")]
    public required IReadOnlyList<int> Bytes { get; init; }

    [Description("The likeliest tokens at this place, likeliest first; `top_logprobs` of them.")]
    public required IReadOnlyList<TopLogProbBody> TopLogprobs { get; init; }
}

/// <summary>A likely token.</summary>
[Description("A token that was likely at a place.")]
internal sealed record TopLogProbBody
{
    [Description("The token's text; replacement characters where it is only a part of a character.")]
    public required string Token { get; init; }

    [Description("Its natural log-probability.")]
    public required float Logprob { get; init; }

    [Description("The token's UTF-8 bytes.")]
    public required IReadOnlyList<int> Bytes { get; init; }
}
