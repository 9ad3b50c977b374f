using System.Text;
using System.Text.Json;
using ToolN1.Api.Contracts;
using ToolN1.Api.Contracts.Responses;
using ToolN1.Api.Errors;
using ToolN1.Api.Shapes;
using ToolN1.Engine.Chat;

namespace ToolN1.Api.Streaming;

/// <summary>
/// Turns the events of an answer into those of the Responses API, and into the whole response: one state machine for both. An
/// item is opened by the first piece of its kind and closed by the first of another. Not thread-safe.
/// </summary>
internal sealed class ResponseBuilder(AnswerIdentity identity, ResponseCall call)
{
    private static readonly JsonElement Auto = Json("\"auto\"");
    private static readonly JsonElement NoTools = Json("[]");
    private static readonly JsonElement NoMetadata = Json("{}");
    private static readonly JsonElement PlainText = Json("""{"format":{"type":"text"}}""");
    private static readonly JsonElement NoReasoning = Json("""{"effort":null,"summary":null}""");

    private readonly List<ResponseEvent> _events = [];
    private readonly List<ResponseItem> _items = [];
    private readonly StringBuilder _text = new();
    private ResponseItem? _open;
    private ChatEvent.Finished? _finished;
    private int _sequence;

    /// <summary>The response as it stands.</summary>
    public Response Response => Make(_finished is null ? "in_progress" : _finished.Reason == ChatFinishReason.Length ? "incomplete" : "completed");

    private bool IsCut => _finished?.Reason == ChatFinishReason.Length;

    /// <summary>The events before the first piece.</summary>
    public IReadOnlyList<ResponseEvent> Begin()
    {
        Emit("response.created", item => item with { Response = Response });
        Emit("response.in_progress", item => item with { Response = Response });
        return Drain();
    }

    /// <summary>The events that a piece makes.</summary>
    /// <exception cref="ApiException">503: the engine ended the answer because it is stopping.</exception>
    public IReadOnlyList<ResponseEvent> Next(ChatEvent piece)
    {
        switch (piece)
        {
            case ChatEvent.ReasoningDelta reasoning:
                Append("reasoning", reasoning.Text);
                break;
            case ChatEvent.ContentDelta content:
                Append("message", content.Text);
                break;
            case ChatEvent.ToolCallBegin begin:
                Close();
                Open(new ResponseItem { Id = NewId("fc_"), Type = "function_call", Status = "in_progress", CallId = begin.Id, Name = begin.Name, Arguments = "" });
                break;
            case ChatEvent.ToolCallArgumentsDelta arguments:
                _text.Append(arguments.Json);
                EmitOfItem("response.function_call_arguments.delta", item => item with { Delta = arguments.Json });
                break;
            case ChatEvent.Finished finished:
                End(finished);
                break;
        }

        return Drain();
    }

    /// <summary>The last event of an answer that failed after it began.</summary>
    public ResponseEvent Failed(ApiException refusal) => new()
    {
        Type = "response.failed",
        SequenceNumber = _sequence++,
        Response = Make("failed") with { Error = new ResponseError { Code = refusal.Body.Code ?? refusal.Body.Type, Message = refusal.Body.Message } },
    };

    private void End(ChatEvent.Finished finished)
    {
        _finished = finished.Reason == ChatFinishReason.Cancelled ? throw ChatWire.Stopping() : finished;
        Close();
        if (_items.TrueForAll(item => item.Type == "reasoning") && !IsCut)
        {
            // An answer that is whole and says nothing is an empty message.
            Append("message", "");
            Close();
        }

        Response whole = Response;
        Emit("response." + whole.Status, item => item with { Response = whole });
    }

    private void Append(string type, string text)
    {
        if (_open?.Type != type)
        {
            Close();
            bool isMessage = type == "message";
            Open(new ResponseItem
            {
                Id = NewId(isMessage ? "msg_" : "rs_"),
                Type = type,
                Status = "in_progress",
                Role = isMessage ? "assistant" : null,
                Summary = isMessage ? null : [],
                Content = [],
            });
            EmitOfItem("response.content_part.added", item => item with { ContentIndex = 0, Part = PartOf(type, "") });
            if (IsSummed(type))
            {
                EmitOfItem("response.reasoning_summary_part.added", item => item with { SummaryIndex = 0, Part = SummaryOf("") });
            }
        }

        if (text.Length > 0)
        {
            _text.Append(text);
            EmitOfItem($"response.{TextOf(type)}.delta", item => item with { ContentIndex = 0, Delta = text, Logprobs = LogProbsOf(type) });
            if (IsSummed(type))
            {
                EmitOfItem("response.reasoning_summary_text.delta", item => item with { SummaryIndex = 0, Delta = text });
            }
        }
    }

    private void Open(ResponseItem item)
    {
        _open = item;
        Emit("response.output_item.added", added => added with { OutputIndex = _items.Count, Item = item });
    }

    private void Close()
    {
        if (_open is null)
        {
            return;
        }

        string text = _text.ToString();
        string type = _open.Type;
        ResponseItem done;
        if (type == "function_call")
        {
            done = _open with { Status = "completed", Arguments = text };
            EmitOfItem("response.function_call_arguments.done", item => item with { Name = done.Name, Arguments = text });
        }
        else
        {
            ResponsePart part = PartOf(type, text);
            done = _open with { Status = IsCut ? "incomplete" : "completed", Content = [part] };
            EmitOfItem($"response.{TextOf(type)}.done", item => item with { ContentIndex = 0, Text = text, Logprobs = LogProbsOf(type) });
            EmitOfItem("response.content_part.done", item => item with { ContentIndex = 0, Part = part });
            if (IsSummed(type))
            {
                done = done with { Summary = [SummaryOf(text)] };
                EmitOfItem("response.reasoning_summary_text.done", item => item with { SummaryIndex = 0, Text = text });
                EmitOfItem("response.reasoning_summary_part.done", item => item with { SummaryIndex = 0, Part = SummaryOf(text) });
            }
        }

        Emit("response.output_item.done", item => item with { OutputIndex = _items.Count, Item = done });
        _items.Add(done);
        _open = null;
        _text.Clear();
    }

    private void Emit(string type, Func<ResponseEvent, ResponseEvent> fill) => _events.Add(fill(new ResponseEvent { Type = type, SequenceNumber = _sequence++ }));

    private void EmitOfItem(string type, Func<ResponseEvent, ResponseEvent> fill) =>
        Emit(type, item => fill(item with { ItemId = _open!.Id, OutputIndex = _items.Count }));

    private ResponseEvent[] Drain()
    {
        ResponseEvent[] events = [.. _events];
        _events.Clear();
        return events;
    }

    private Response Make(string status)
    {
        JsonElement request = call.Echo;
        return new Response
        {
            Id = identity.Id,
            CreatedAt = identity.Created,
            Status = status,
            IncompleteDetails = status == "incomplete" ? new IncompleteDetails() : null,
            Instructions = request.String("instructions"),
            MaxOutputTokens = call.Request.MaxNewTokens,
            Model = identity.Model,
            Output = [.. _items],
            ParallelToolCalls = call.Request.ParallelToolCalls,
            Reasoning = EchoOf("reasoning", NoReasoning),
            Temperature = request.Number("temperature") ?? 1,
            Text = EchoOf("text", PlainText),
            ToolChoice = EchoOf("tool_choice", Auto),
            Tools = EchoOf("tools", NoTools),
            TopP = request.Number("top_p") ?? 1,
            Usage = _finished is null ? null : UsageOf(Usage.Of([_finished.Usage])),
            User = request.String("user"),
            Metadata = EchoOf("metadata", NoMetadata),
        };
    }

    private EchoedJson EchoOf(string field, JsonElement absent) => new(call.Echo.Has(field, out JsonElement value) ? value : absent);

    private static ResponseUsage UsageOf(Usage usage) => new()
    {
        InputTokens = usage.PromptTokens,
        InputTokensDetails = usage.PromptTokensDetails,
        OutputTokens = usage.CompletionTokens,
        OutputTokensDetails = usage.CompletionTokensDetails!,
        TotalTokens = usage.TotalTokens,
    };

    private bool IsSummed(string type) => type == "reasoning" && call.WithSummary;

    private static ResponsePart SummaryOf(string text) => new() { Type = "summary_text", Text = text };

    private static ResponsePart PartOf(string type, string text) => type == "message"
        ? new ResponsePart { Type = "output_text", Text = text, Annotations = [], Logprobs = [] }
        : new ResponsePart { Type = "reasoning_text", Text = text };

    private static string TextOf(string type) => type == "message" ? "output_text" : "reasoning_text";

    private static string[]? LogProbsOf(string type) => type == "message" ? [] : null;

    private static string NewId(string prefix) => prefix + Guid.NewGuid().ToString("N");

    private static JsonElement Json(string text)
    {
        using JsonDocument document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }
}
