using System.Text;
using System.Text.Json;
using ToolN1.Engine.Chat;

namespace ToolN1.Fuzz.Targets;

/// <summary>
/// A model's text in both formats. The first bytes choose the chunking and whether the limit cut it; the result must be
/// that of the whole, its content free of tags, its calls JSON.
/// </summary>
internal sealed class ChatParserTarget : IFuzzTarget
{
    private static readonly string[] Tags = ["<think>", "</think>", "<tool_call>", "</tool_call>"];
    private static readonly ChatTool[] Tools = [new("f", "{}")];

    public string Name => "chat";

    public IReadOnlyList<string> Dictionary { get; } = [.. Tags, "<tool", "_call>", "</", "{\"name\": \"f\", \"arguments\": {", "\"name\":", "\"arguments\":", "[{", "}]", "\\u00e9"];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < 2)
        {
            return;
        }

        int step = 1 + (input[0] % 17);
        bool truncated = input[1] % 2 == 0;
        string text = Encoding.UTF8.GetString(input[2..]);
        foreach (TurnStyle style in new[] { new TurnStyle("tool-n1", new ToolN1Format(TurnMarkup.ChatMl)), new TurnStyle("hermes", new HermesFormat(TurnMarkup.ChatMl)) })
        {
            string whole = Parse(style.Format, [text], truncated);
            string pieces = Parse(style.Format, text.Chunk(step).Select(chunk => new string(chunk)), truncated);
            if (whole != pieces)
            {
                throw new InvalidOperationException($"{style.Name}: in pieces of {step}\n{pieces}\ninstead of\n{whole}");
            }
        }
    }

    private static string Parse(IChatFormat format, IEnumerable<string> chunks, bool truncated)
    {
        ChatOutputParser parser = format.CreateParser(Tools);
        StringBuilder reasoning = new(), content = new();
        List<(ChatEvent.ToolCallBegin Begin, StringBuilder Arguments)> calls = [];
        foreach (ChatEvent piece in chunks.TakeWhile(_ => !parser.TurnEnded).SelectMany(parser.Append).Concat(Enumerable.Repeat(parser, 1).SelectMany(last => last.Complete(truncated))))
        {
            switch (piece)
            {
                case ChatEvent.ReasoningDelta delta:
                    reasoning.Append(delta.Text);
                    break;
                case ChatEvent.ContentDelta delta:
                    content.Append(delta.Text);
                    break;
                case ChatEvent.ToolCallBegin begin:
                    calls.Add((begin, new StringBuilder()));
                    break;
                case ChatEvent.ToolCallArgumentsDelta arguments:
                    calls[arguments.Index].Arguments.Append(arguments.Json);
                    break;
            }
        }

        string visible = content.ToString();
        string called = string.Concat(calls.Select(call => $"\n{call.Begin.Index} {call.Begin.Name} {call.Begin.Known} {Json(call.Arguments.ToString())}"));
        return Array.Find(Tags, tag => visible.Contains(tag, StringComparison.Ordinal)) is { } leaked
            ? throw new InvalidOperationException($"{leaked} leaked into the content: {visible}")
            : $"{reasoning}\n--\n{visible}\n--{called}\n--{parser.UnfinishedBlock is not null}";
    }

    /// <summary>The text, which must be JSON.</summary>
    private static string Json(string text)
    {
        using JsonDocument document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 1000 });
        return document.RootElement.GetRawText();
    }

    private sealed record TurnStyle(string Name, IChatFormat Format);
}
