using System.ComponentModel;
using System.Text.Json.Serialization;

namespace ToolN1.Api.Contracts;

/// <summary>One server-sent event of a streamed chat answer.</summary>
[Description("One event of a streamed chat answer.")]
internal sealed record ChatCompletionChunk
{
    [Description("Unique id of the answer; the same in all its chunks.")]
    public required string Id { get; init; }

    [Description("Always `chat.completion.chunk`.")]
    public string Object { get; init; } = "chat.completion.chunk";

    [Description("When the answer began, in seconds since 1970; the same in all its chunks.")]
    public required long Created { get; init; }

    [Description("The model that answers.")]
    public required string Model { get; init; }

    [Description("Always `default`.")]
    public string ServiceTier { get; init; } = "default";

    [Description("Changes with the weights.")]
    public required string SystemFingerprint { get; init; }

    [Description("The piece of the answer; empty in the last chunk with `usage`.")]
    public required IReadOnlyList<ChunkChoice> Choices { get; init; }

    [Description("With `stream_options.include_usage`: null, and the exact token counts in the last chunk. Absent otherwise.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public ChunkUsage Usage { get; init; }
}

/// <summary>A piece of one choice.</summary>
[Description("A piece of one answer.")]
internal sealed record ChunkChoice
{
    [Description("The answer's number, from 0.")]
    public required int Index { get; init; }

    [Description("What the piece adds.")]
    public required ChunkDelta Delta { get; init; }

    [Description("Log-probabilities of the tokens of this piece, or null.")]
    public ChatLogProbs? Logprobs { get; init; }

    [Description("Null until the answer's last piece; then as in a whole answer.")]
    public string? FinishReason { get; init; }
}

/// <summary>What a piece adds to a message.</summary>
[Description("What a piece adds to the message: at most one of its fields (`reasoning` beside `reasoning_content` aside).")]
internal sealed record ChunkDelta
{
    [Description("`assistant`, in the first piece.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Role { get; init; }

    [Description("More of the visible text.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Content { get; init; }

    [Description("More of the reasoning.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ReasoningContent { get; init; }

    [Description("The same as `reasoning_content`, where the request has `include_reasoning: true`.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Reasoning { get; init; }

    [Description("The beginning of a call (index, id, type and name) or more of its arguments (index).")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ToolCallBody>? ToolCalls { get; init; }

    [Description("The beginning of a call (name) or more of its arguments, where the request offers `functions`.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public FunctionCallBody? FunctionCall { get; init; }
}
