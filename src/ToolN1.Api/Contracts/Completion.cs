using System.ComponentModel;
using System.Text.Json.Serialization;

namespace ToolN1.Api.Contracts;

/// <summary>The answer of a text completion, and a chunk of a streamed one.</summary>
[Description("The answer of a text completion; streamed chunks have the same shape.")]
internal sealed record Completion
{
    [Description("Unique id of the answer; the same in all its chunks.")]
    public required string Id { get; init; }

    [Description("Always `text_completion`.")]
    public string Object { get; init; } = "text_completion";

    [Description("When it was made, in seconds since 1970.")]
    public required long Created { get; init; }

    [Description("The model that answered.")]
    public required string Model { get; init; }

    [Description("The answers: for each prompt, `n` of them.")]
    public required IReadOnlyList<CompletionChoice> Choices { get; init; }

    [Description("Changes with the weights.")]
    public required string SystemFingerprint { get; init; }

    [Description("Exact token counts. In chunks only with `stream_options.include_usage`: null, and the counts in the last.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public ChunkUsage Usage { get; init; }
}

/// <summary>One continuation.</summary>
[Description("One continuation of one prompt.")]
internal sealed record CompletionChoice
{
    [Description("Its number: the prompt's position times `n`, plus the answer's position.")]
    public required int Index { get; init; }

    [Description("The text; with `echo`, the prompt and the text. In chunks, the next piece.")]
    public required string Text { get; init; }

    [Description("Log-probabilities, or null.")]
    public CompletionLogProbs? Logprobs { get; init; }

    [Description("`stop` or `length`; null in chunks before the last.")]
    public required string? FinishReason { get; init; }
}

/// <summary>Log-probabilities of a text completion, as parallel arrays.</summary>
[Description("Log-probabilities as parallel arrays, one entry a token.")]
internal sealed record CompletionLogProbs
{
    [Description("The tokens' texts; `bytes:\\x..` for a token that is only a part of a character.")]
    public required IReadOnlyList<string> Tokens { get; init; }

    [Description("Natural log-probabilities under the model's own distribution; null for the first token of an echoed prompt.")]
    public required IReadOnlyList<float?> TokenLogprobs { get; init; }

    [Description("For each token, the likeliest tokens at its place and their log-probabilities, the token itself included; null for the first token of an echoed prompt.")]
    public required IReadOnlyList<IReadOnlyDictionary<string, float>?> TopLogprobs { get; init; }

    [Description("Where each token begins in `text` (in the whole text, for chunks), in Unicode characters.")]
    public required IReadOnlyList<int> TextOffset { get; init; }
}
