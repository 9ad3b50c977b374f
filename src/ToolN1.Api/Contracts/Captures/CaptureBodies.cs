using System.ComponentModel;
using System.Text.Json.Serialization;
using ToolN1.Api.Contracts.Responses;

namespace ToolN1.Api.Contracts.Captures;

/// <summary>A capture without its conversation.</summary>
[Description("A captured answer, without its conversation.")]
internal record CaptureSummaryBody
{
    [Description("Its id.")]
    public required string Id { get; init; }

    [Description("Always `capture`.")]
    public string Object { get; init; } = "capture";

    [Description("When the request was accepted, in seconds since 1970.")]
    public required long CreatedAt { get; init; }

    [Description("`pending` until a person has looked at it, then `confirmed`, `corrected` or `rejected`.")]
    public required string Status { get; init; }

    [Description("The API that it came by: `chat` or `response`.")]
    public required string Endpoint { get; init; }

    [Description("Whose request it was: `key-` and the beginning of the key's SHA-256.")]
    public required string? Tenant { get; init; }

    [Description("Id of the answer that the caller got.")]
    public required string AnswerId { get; init; }

    [Description("Which of the answer's choices, from 0.")]
    public required int Choice { get; init; }

    [Description("The model as the request named it.")]
    public required string Model { get; init; }

    [Description("Identity of its weights.")]
    public required string WeightVersion { get; init; }

    [Description("How the answer ended: `stop`, `tool_calls`, `length`, `cancelled` (the caller went away, or the server stopped) or `failed`.")]
    public required string FinishReason { get; init; }

    [Description("The beginning of the last message.")]
    public required string Request { get; init; }

    [Description("Names of the called tools, those of a correction too.")]
    public required IReadOnlyList<string> CalledTools { get; init; }

    [Description("How often each rule took something out.")]
    public required IReadOnlyDictionary<string, int> Redactions { get; init; }

    [Description("When it was last reviewed, in seconds since 1970, or null.")]
    public required long? ReviewedAt { get; init; }

    [Description("Who reviewed it: `admin-` and the beginning of the key's SHA-256, or null.")]
    public required string? ReviewedBy { get; init; }

    [Description("The last file that it was exported to, or null.")]
    public required string? ExportedFile { get; init; }
}

/// <summary>A capture.</summary>
[Description("A captured answer with its conversation, redacted.")]
internal sealed record CaptureBody : CaptureSummaryBody
{
    [Description("The conversation, oldest first.")]
    public required IReadOnlyList<CapturedMessageBody> Messages { get; init; }

    [Description("The function objects of the tools that the model was shown.")]
    public required IReadOnlyList<EchoedJson> Tools { get; init; }

    [Description("The model's reasoning, or null.")]
    public required string? Reasoning { get; init; }

    [Description("Its visible text, or null.")]
    public required string? Content { get; init; }

    [Description("Its calls, in order.")]
    public required IReadOnlyList<CapturedCallBody> Calls { get; init; }

    [Description("What the reviewer says the answer should have been, or null.")]
    public required CorrectionBody? Correction { get; init; }
}

/// <summary>A message.</summary>
[Description("A message of a captured conversation.")]
internal sealed record CapturedMessageBody
{
    [Description("`system`, `user`, `assistant` or `tool`.")]
    public required string Role { get; init; }

    [Description("Who among several of the same role speaks; absent where nobody is named.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }

    [Description("Its text; null for an assistant that only called tools.")]
    public required string? Content { get; init; }

    [Description("The assistant's calls; absent where there are none.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ToolCallBody>? ToolCalls { get; init; }

    [Description("The call that a tool's message answers; absent otherwise.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ToolCallId { get; init; }
}

/// <summary>A call.</summary>
[Description("A call, as dataset rows and corrections write it.")]
internal sealed record CapturedCallBody
{
    [Description("The tool's name.")]
    public required string Name { get; init; }

    [Description("Its arguments: an object, or whatever the model wrote in place of one.")]
    public required EchoedJson Arguments { get; init; }
}

/// <summary>A correction.</summary>
[Description("What the answer should have been.")]
internal sealed record CorrectionBody
{
    [Description("The right calls, in order.")]
    public required IReadOnlyList<CapturedCallBody> Calls { get; init; }

    [Description("The right answer in words, where the request offered no tools; null otherwise.")]
    public required string? Reply { get; init; }

    [Description("The reasoning to teach with it, or null.")]
    public required string? Reasoning { get; init; }
}

/// <summary>Captures.</summary>
[Description("A page of captures.")]
internal sealed record CaptureList
{
    [Description("Always `list`.")]
    public string Object { get; init; } = "list";

    [Description("The captures, newest first.")]
    public required IReadOnlyList<CaptureSummaryBody> Data { get; init; }

    [Description("Id of the first capture of the page, or null.")]
    public required string? FirstId { get; init; }

    [Description("Id of the last capture of the page, for `after`, or null.")]
    public required string? LastId { get; init; }

    [Description("Whether others follow.")]
    public required bool HasMore { get; init; }
}
