using System.ComponentModel;
using System.Text.Json.Serialization;

namespace ToolN1.Api.Contracts.Responses;

/// <summary>One server-sent event of a streamed response.</summary>
[Description("One event of a streamed response. Its name is `type`, which says which of the fields it has.")]
internal sealed record ResponseEvent
{
    [Description("The event's name: `response.created`, `response.in_progress`, `response.output_item.added` and `.done`, `response.content_part.added` and `.done`, "
        + "`response.reasoning_text.delta` and `.done`, `response.reasoning_summary_part.added` and `.done`, `response.reasoning_summary_text.delta` and `.done`, `response.output_text.delta` and `.done`, `response.function_call_arguments.delta` and `.done`, "
        + "`response.completed`, `response.incomplete`, `response.failed`.")]
    public required string Type { get; init; }

    [Description("Its number within the answer, from 0.")]
    public required int SequenceNumber { get; init; }

    [Description("The answer as it stands.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Response? Response { get; init; }

    [Description("The item's id.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ItemId { get; init; }

    [Description("The item's position in the answer, from 0.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? OutputIndex { get; init; }

    [Description("The part's position in the item: always 0.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? ContentIndex { get; init; }

    [Description("The summary part's position in the item: always 0.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? SummaryIndex { get; init; }

    [Description("The item as it stands.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ResponseItem? Item { get; init; }

    [Description("The part as it stands.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ResponsePart? Part { get; init; }

    [Description("More of a text or of a call's arguments.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Delta { get; init; }

    [Description("The whole text.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Text { get; init; }

    [Description("The function's name, with a call's whole arguments.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }

    [Description("A call's whole arguments.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Arguments { get; init; }

    [Description("Of `response.output_text`: always empty.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Logprobs { get; init; }
}
