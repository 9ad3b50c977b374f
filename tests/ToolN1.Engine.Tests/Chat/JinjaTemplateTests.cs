using System.Text.Json;
using ToolN1.Engine.Chat;
using ToolN1.TestSupport;

namespace ToolN1.Engine.Tests.Chat;

/// <summary>The exported chat templates, rendered by Hugging Face's Jinja, against our own rendering.</summary>
public sealed class JinjaTemplateTests
{
    // No fractions: JavaScript prints 1.0 as 1, Python and we do not. Past arguments in Python's spacing: a template takes a text as it is.
    private const string Rows =
        """
        [
          {"messages": [{"role": "user", "content": "Hi"}]},
          {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi\n'\"\\ \t{{ 7 }} {% x %} é😀"}]},
          {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}], "tools": TOOLS},
          {"messages": [{"role": "developer", "content": "Head\n"}, {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}, {"role": "user", "content": " again "}], "tools": TOOLS},
          {"messages": [{"role": "system", "content": ""}, {"role": "user", "content": "Hi"}, {"role": "system", "content": "Later."}, {"role": "user", "content": "?"}], "tools": TOOLS},
          {"messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": null, "tool_calls": [
              {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"é\": [1, 2], \"b\": \"ü\"}"}},
              {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "a", "content": "one"}, {"role": "tool", "tool_call_id": "b", "content": "two\n"},
            {"role": "assistant", "content": "Said", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"a\": null}"}}]},
            {"role": "tool", "tool_call_id": "c", "content": ""},
            {"role": "user", "content": "Thanks"}], "tools": TOOLS}
        ]
        """;

    private const string Tools =
        """
        [{"type": "function", "function": {"name": "f", "description": "Ärger'\"\\\n", "parameters": {"type": "object", "properties": {"é": {"type": "array", "items": {"type": "integer"}}}, "required": []}}},
         {"type": "function", "function": {"name": "g"}}]
        """;

    public static TheoryData<string, string> Formats => new() { { "tool-n1", "ChatML" }, { "tool-n1", "Llama 3" }, { "hermes", "ChatML" }, { "hermes", "Llama 3" } };

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task ToJinja_RenderedByHuggingFaces_IsOurPrompt(string name, string turns)
    {
        Assert.SkipWhen(NodeScript.Missing is not null, NodeScript.Missing ?? "");
        TurnMarkup markup = turns == "ChatML" ? TurnMarkup.ChatMl : TurnMarkup.Llama3;
        IChatFormat format = name == "hermes" ? new HermesFormat(markup) : new ToolN1Format(markup);
        JsonElement[] rows = [.. JsonDocument.Parse(Rows.Replace("TOOLS", Tools, StringComparison.Ordinal)).RootElement.EnumerateArray()];
        JsonElement rendered = await NodeScript.RunAsync("render.mjs", new { template = format.ToJinja(), rows }, TestContext.Current.CancellationToken);
        Assert.Equal(rows.Select(row => Ours(format, row)), rendered.EnumerateArray().Select(text => text.GetString()));
    }

    [Fact]
    public async Task ToJinja_Hermes_RendersTheVectorsOfQwensOwnTemplate()
    {
        Assert.SkipWhen(NodeScript.Missing is not null, NodeScript.Missing ?? "");
        string? path = TestPaths.Shared("qwen2.5", "chat-template-vectors.jsonl.gz");
        Assert.SkipWhen(path is null, "shared/qwen2.5 is not here");
        // JavaScript keeps neither 1.0 nor integers beyond 2^53, so those rows say nothing about the template.
        JsonElement[] rows = [.. VectorFile.Read(path).Where(row => !HoldsFraction(row.GetProperty("messages")) && !HoldsFraction(row.GetProperty("tools"))).Take(100)];
        Assert.NotEmpty(rows);
        JsonElement rendered = await NodeScript.RunAsync("render.mjs", new { template = new HermesFormat(TurnMarkup.ChatMl).ToJinja(), rows }, TestContext.Current.CancellationToken);
        Assert.Equal(rows.Select(row => row.GetProperty("text").GetString()), rendered.EnumerateArray().Select(text => text.GetString()));
    }

    private static string Ours(IChatFormat format, JsonElement row)
    {
        List<ChatMessage> messages = [.. row.GetProperty("messages").EnumerateArray().Select(message => PromptRowRenderer.ReadMessage(JoinParts(message)))];
        ChatTool[] tools = row.TryGetProperty("tools", out JsonElement list) ? [.. list.EnumerateArray().Select(PromptRowRenderer.ReadTool)] : [];
        return format.Render(messages, tools, addGenerationPrompt: true).Text;
    }

    private static JsonElement JoinParts(JsonElement message)
    {
        if (message.GetProperty("content").ValueKind != JsonValueKind.Array)
        {
            return message;
        }

        string text = string.Concat(message.GetProperty("content").EnumerateArray().Select(part => part.GetProperty("text").GetString()));
        return JsonSerializer.SerializeToElement(new { role = message.GetProperty("role").GetString(), content = text });
    }

    private static bool HoldsFraction(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => !value.TryGetInt32(out _) || value.GetRawText().Contains('.', StringComparison.Ordinal),
        JsonValueKind.Array => value.EnumerateArray().Any(HoldsFraction),
        JsonValueKind.Object => value.EnumerateObject().Any(property => HoldsFraction(property.Value)),
        _ => false,
    };
}
