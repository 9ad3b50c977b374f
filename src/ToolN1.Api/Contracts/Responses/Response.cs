using System.ComponentModel;
using System.Text.Json.Serialization;

namespace ToolN1.Api.Contracts.Responses;

/// <summary>The answer of the Responses API.</summary>
[Description("The answer of the Responses API.")]
internal sealed record Response
{
    [Description("Unique id of the answer. It cannot be asked for later: answers are not stored.")]
    public required string Id { get; init; }

    [Description("Always `response`.")]
    public string Object { get; init; } = "response";

    [Description("When it began, in seconds since 1970.")]
    public required long CreatedAt { get; init; }

    [Description("`completed`, `incomplete` (see `incomplete_details`), or in events `in_progress` and `failed`.")]
    public required string Status { get; init; }

    [Description("Always false.")]
    public bool Background { get; init; }

    [Description("What went wrong, in `response.failed`; null otherwise.")]
    public ResponseError? Error { get; init; }

    [Description("Why the answer is cut, or null.")]
    public IncompleteDetails? IncompleteDetails { get; init; }

    [Description("The request's `instructions`.")]
    public string? Instructions { get; init; }

    [Description("The request's `max_output_tokens`.")]
    public int? MaxOutputTokens { get; init; }

    [Description("The model that answers.")]
    public required string Model { get; init; }

    [Description("What the model made, in order: reasoning, then a message or calls.")]
    public required IReadOnlyList<ResponseItem> Output { get; init; }

    [Description("Whether one answer may hold several calls.")]
    public required bool ParallelToolCalls { get; init; }

    [Description("Always null: answers are not stored.")]
    public string? PreviousResponseId { get; init; }

    [Description("The request's `reasoning`.")]
    public required EchoedJson Reasoning { get; init; }

    [Description("Always false.")]
    public bool Store { get; init; }

    [Description("The request's `temperature`.")]
    public required double Temperature { get; init; }

    [Description("The request's `text`.")]
    public required EchoedJson Text { get; init; }

    [Description("The request's `tool_choice`.")]
    public required EchoedJson ToolChoice { get; init; }

    [Description("The request's `tools`.")]
    public required EchoedJson Tools { get; init; }

    [Description("The request's `top_p`.")]
    public required double TopP { get; init; }

    [Description("Always `disabled`: a conversation that is too long is refused.")]
    public string Truncation { get; init; } = "disabled";

    [Description("Exact token counts; null until the answer is whole.")]
    public ResponseUsage? Usage { get; init; }

    [Description("The request's `user`.")]
    public string? User { get; init; }

    [Description("The request's `metadata`.")]
    public required EchoedJson Metadata { get; init; }

    [Description("Always `default`.")]
    public string ServiceTier { get; init; } = "default";
}

/// <summary>What went wrong.</summary>
[Description("What went wrong.")]
internal sealed record ResponseError
{
    [Description("A code for programs.")]
    public required string Code { get; init; }

    [Description("An explanation for people.")]
    public required string Message { get; init; }
}

/// <summary>Why an answer is cut.</summary>
[Description("Why an answer is cut.")]
internal sealed record IncompleteDetails
{
    [Description("Always `max_output_tokens`.")]
    public string Reason { get; init; } = "max_output_tokens";
}

/// <summary>One thing that the model made.</summary>
[Description("One thing that the model made: `reasoning`, a `message` or a `function_call`. It can be sent back as an input item as it is.")]
internal sealed record ResponseItem
{
    [Description("Unique id of the item.")]
    public required string Id { get; init; }

    [Description("`reasoning`, `message` or `function_call`.")]
    public required string Type { get; init; }

    [Description("`completed`, `incomplete` where the token limit cut it, or in events `in_progress`.")]
    public required string Status { get; init; }

    [Description("Of a message: always `assistant`.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Role { get; init; }

    [Description("Of a message, its text; of reasoning, the reasoning.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ResponsePart>? Content { get; init; }

    [Description("Of reasoning: empty, the reasoning itself is in `content`; with `reasoning.summary` in the request, the same text.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ResponsePart>? Summary { get; init; }

    [Description("Of a call: its id; the `function_call_output` with its result names it.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? CallId { get; init; }

    [Description("Of a call: the function's name.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }

    [Description("Of a call: the arguments as the JSON text that the model wrote.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Arguments { get; init; }
}

/// <summary>A piece of an item.</summary>
[Description("A piece of an item's text.")]
internal sealed record ResponsePart
{
    [Description("`output_text`, `reasoning_text` or `summary_text`.")]
    public required string Type { get; init; }

    [Description("The text.")]
    public required string Text { get; init; }

    [Description("Of `output_text`: always empty.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Annotations { get; init; }

    [Description("Of `output_text`: always empty; log-probabilities come with chat completions.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Logprobs { get; init; }
}

/// <summary>Exact token counts of a response.</summary>
[Description("Exact token counts.")]
internal sealed record ResponseUsage
{
    [Description("Tokens of the prompt, cached ones included.")]
    public required int InputTokens { get; init; }

    [Description("More on the prompt's tokens.")]
    public required PromptTokensDetails InputTokensDetails { get; init; }

    [Description("Tokens generated, the ending one included.")]
    public required int OutputTokens { get; init; }

    [Description("More on the generated tokens.")]
    public required CompletionTokensDetails OutputTokensDetails { get; init; }

    [Description("Their sum.")]
    public required int TotalTokens { get; init; }
}
