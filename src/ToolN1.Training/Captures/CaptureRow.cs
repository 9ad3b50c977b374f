using System.Text.Json;
using ToolN1.Engine.Chat;
using ToolN1.Training.Data;
using ToolN1.Training.Jobs;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Training.Captures;

/// <summary>The dataset row of a reviewed capture.</summary>
internal static class CaptureRow
{
    /// <summary>
    /// What the model is to learn: the reviewer's calls where there is a correction, else its own. Where no tool was offered,
    /// the answer in words.
    /// </summary>
    /// <param name="capture">Confirmed or corrected.</param>
    /// <exception cref="InvalidOperationException">Nobody has reviewed it, or it was rejected: such a one never becomes a row.</exception>
    /// <exception cref="TrainingRefusedException">It cannot be written as a row; says why.</exception>
    public static TrainingRow Of(CaptureRecord capture)
    {
        if (capture is not { Status: CaptureStatus.Confirmed or CaptureStatus.Corrected, ReviewedBy: not null })
        {
            throw new InvalidOperationException($"The capture {capture.Id} is {capture.Status}: only what a person has reviewed is trained on.");
        }

        CaptureDocument document = DocumentOf(capture);
        CaptureCorrection? correction = capture.Status == CaptureStatus.Corrected ? CorrectionOf(capture) : null;
        IReadOnlyList<CapturedCall> calls = correction?.Calls ?? document.Calls;
        string? reply = correction is null ? document.Content : correction.Reply;
        CapturedMessage[] messages = [.. document.Messages];
        string? system = messages[0].Role == "system" ? Spoken(messages[0]) : null;
        messages = system is null ? messages : messages[1..];
        if (messages.Length == 0)
        {
            throw NotARow(capture, "its conversation is a system message alone");
        }

        if (messages.Any(message => message.Role == "system"))
        {
            throw NotARow(capture, "its conversation has a system message after the first, for which a row has no place");
        }

        TrainingRow row = new()
        {
            System = system,
            Tools = [.. document.Tools.Select(Tool)],
            Messages = [.. messages.Select(Message)],
            Answer = [.. calls.Select(call => new TrainingCall(call.Name, PythonJson.Respace(call.Arguments)))],
            Reply = document.Tools.Count == 0 && calls.Count == 0 ? reply ?? throw NotARow(capture, "no tool was offered, and the answer is empty") : null,
            Think = correction is null ? document.Reasoning : correction.Reasoning,
        };
        try
        {
            // What is written is what will be read.
            return TrainingRowReader.Parse(TrainingRowWriter.ToJson(row), capture.Id, 1);
        }
        catch (TrainingDataException error)
        {
            throw NotARow(capture, error.Reason);
        }
    }

    /// <summary>The redacted conversation and answer.</summary>
    public static CaptureDocument DocumentOf(CaptureRecord capture) => JsonSerializer.Deserialize(capture.Document, CaptureJson.Relaxed.CaptureDocument)!;

    /// <summary>What the reviewer said, or null.</summary>
    public static CaptureCorrection? CorrectionOf(CaptureRecord capture) =>
        capture.Correction is null ? null : JsonSerializer.Deserialize(capture.Correction, CaptureJson.Relaxed.CaptureCorrection);

    private static ChatTool Tool(string functionJson)
    {
        using JsonDocument function = JsonDocument.Parse(functionJson);
        return new ChatTool(function.RootElement.GetProperty("name").GetString()!, PythonJson.Write(function.RootElement));
    }

    private static ChatMessage Message(CapturedMessage message) => new()
    {
        Role = message.Role switch
        {
            "user" => ChatRole.User,
            "assistant" => ChatRole.Assistant,
            _ => ChatRole.Tool,
        },
        Content = Spoken(message),
        ToolCalls = [.. message.Calls.Select(call => new ToolCall(call.Id ?? "", call.Name, call.Arguments))],
        ToolCallId = message.ToolCallId,
    };

    /// <summary>The text as the chat formats write it: a row has no field for the speaker's name.</summary>
    private static string? Spoken(CapturedMessage message) =>
        message.Name is null || string.IsNullOrEmpty(message.Content) ? message.Content : $"{message.Name}: {message.Content}";

    private static TrainingRefusedException NotARow(CaptureRecord capture, string reason) =>
        new($"The capture '{capture.Id}' cannot become a dataset row: {reason}.", null, "capture_not_a_row") { IsConflict = true };
}
