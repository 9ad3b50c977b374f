using System.Text.Json;
using ToolN1.Engine.Chat;
using ToolN1.Training.Captures.Redaction;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Training.Captures;

/// <summary>Makes the redacted record of an answer.</summary>
internal sealed class CaptureMaker(Redactor redactor)
{
    private const int RequestCharacters = 200;

    /// <summary>The record, its number still to be given.</summary>
    /// <param name="answer">Has ended.</param>
    public CaptureRecord Make(CapturedAnswer answer)
    {
        RedactionPass pass = redactor.Begin();
        // Tools that the model was not shown are no part of what it was asked.
        IReadOnlyList<ChatTool> tools = answer.Request.ToolChoice is ToolChoice.None ? [] : answer.Request.Tools;
        HashSet<string> names = [.. tools.Select(tool => tool.Name)];
        CaptureDocument document = new()
        {
            Messages = [.. answer.Request.Messages.Select(message => Message(pass, message, names))],
            Tools = [.. tools.Select(tool => pass.Tool(tool.FunctionJson))],
            Reasoning = Text(pass, answer.Reasoning),
            Content = Text(pass, answer.Content),
            Calls = [.. answer.Calls.Select(call => new CapturedCall(null, ToolName(pass, call.Name, names), pass.Json(call.Arguments)))],
        };
        return new CaptureRecord
        {
            Id = "capture-" + Guid.NewGuid().ToString("N"),
            CreatedAt = answer.Origin.CreatedAt,
            Status = CaptureStatus.Pending,
            Endpoint = answer.Origin.Endpoint,
            Tenant = answer.Origin.Tenant,
            AnswerId = answer.Origin.AnswerId,
            Choice = answer.Choice,
            Model = answer.Origin.Model,
            WeightVersion = answer.Origin.WeightVersion,
            FinishReason = answer.FinishReason ?? throw new InvalidOperationException("The answer has not ended."),
            Request = Preview(document.Messages[^1].Content ?? ""),
            CalledTools = ToolList(document.Calls.Select(call => call.Name)),
            Document = JsonSerializer.Serialize(document, CaptureJson.Relaxed.CaptureDocument),
            Redactions = JsonSerializer.Serialize(pass.Counts, CaptureJson.Relaxed.SortedDictionaryStringInt32),
        };
    }

    /// <summary>Names of tools as a record keeps them, so that one can be looked for.</summary>
    public static string ToolList(IEnumerable<string> names) =>
        string.Concat(names.Distinct().Select(name => "\n" + name.Storable().Replace('\n', ' '))) + "\n";

    private static CapturedMessage Message(RedactionPass pass, ChatMessage message, HashSet<string> names) => new()
    {
        Role = message.Role switch
        {
            ChatRole.System => "system",
            ChatRole.User => "user",
            ChatRole.Assistant => "assistant",
            _ => "tool",
        },
        Name = Text(pass, message.Name),
        Content = Text(pass, message.Content),
        Calls = [.. message.ToolCalls.Select(call => new CapturedCall(pass.Text(call.Id), ToolName(pass, call.Name, names), pass.Json(call.Arguments)))],
        ToolCallId = Text(pass, message.ToolCallId),
    };

    /// <summary>A tool's own name is the operator's; one that was made up may be anything.</summary>
    private static string ToolName(RedactionPass pass, string name, HashSet<string> names) => names.Contains(name) ? name : pass.Text(name);

    private static string? Text(RedactionPass pass, string? text) => text is null ? null : pass.Text(text);

    private static string Preview(string text) =>
        (text.Length <= RequestCharacters ? text : text[..(char.IsHighSurrogate(text[RequestCharacters - 1]) ? RequestCharacters - 1 : RequestCharacters)] + "…").Storable();
}
