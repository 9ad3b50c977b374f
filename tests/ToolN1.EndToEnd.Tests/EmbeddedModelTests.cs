using System.Text;
using System.Text.Json.Nodes;
using OpenAI.Chat;
using ToolN1.TestSupport;

namespace ToolN1.EndToEnd.Tests;

/// <summary>The embedded model, served as a clone serves it: no option given.</summary>
public sealed class EmbeddedModelTests
{
    private const string Model = "tool-n1-nano";
    private const string Question = "What is the weather in Paris?";

    private static readonly ChatTool Weather = ChatTool.CreateFunctionTool(
        "get_weather",
        "Get the current weather of a city.",
        BinaryData.FromString("""{"type":"object","properties":{"city":{"type":"string","description":"The city, for example Paris."}},"required":["city"]}"""));

    [Fact]
    public async Task OpenAiClient_TwoTurnToolLoop_WholeAndStreamed()
    {
        Assert.SkipUnless(File.Exists(Path.Combine(TestPaths.NanoModel, "config.json")), "models/tool-n1-nano is not in this checkout.");
        await using ServerProcess server = await ServerProcess.StartAsync(model: null);
        ChatClient chat = server.Client().GetChatClient(Model);
        ChatCompletionOptions options = new() { Temperature = 0, MaxOutputTokenCount = 256, Tools = { Weather } };
        List<ChatMessage> messages = [ChatMessage.CreateUserMessage(Question)];

        // 1. The model calls the tool.
        ChatCompletion first = await chat.CompleteChatAsync(messages, options, TestContext.Current.CancellationToken);
        ChatToolCall call = Assert.Single(first.ToolCalls);
        Assert.Equal(ChatFinishReason.ToolCalls, first.FinishReason);
        AssertParis(call.FunctionName, call.FunctionArguments.ToString());

        // 2. The same, streamed: the pieces make the same call.
        (string name, string arguments, ChatFinishReason? finish) = await StreamCallAsync(chat, messages, options);
        Assert.Equal((call.FunctionName, call.FunctionArguments.ToString(), ChatFinishReason.ToolCalls), (name, arguments, finish));

        // 3. The tool's result goes back; the model tells it and calls nothing more.
        messages.Add(ChatMessage.CreateAssistantMessage(first));
        messages.Add(ChatMessage.CreateToolMessage(call.Id, """{"temperature_celsius": 21}"""));
        ChatCompletion second = await chat.CompleteChatAsync(messages, options, TestContext.Current.CancellationToken);
        Assert.True(second.Usage.InputTokenCount > first.Usage.InputTokenCount);
        Assert.True(second.Usage.InputTokenDetails.CachedTokenCount > 0);
        Assert.Equal(ChatFinishReason.Stop, second.FinishReason);
        Assert.Empty(second.ToolCalls);
        string told = string.Concat(second.Content.Select(part => part.Text));
        Assert.Contains("21", told, StringComparison.Ordinal);

        // 4. The same, streamed.
        StringBuilder streamed = new();
        await foreach (StreamingChatCompletionUpdate update in chat.CompleteChatStreamingAsync(messages, options, TestContext.Current.CancellationToken))
        {
            Assert.Empty(update.ToolCallUpdates);
            streamed.AppendJoin(null, update.ContentUpdate.Select(part => part.Text));
        }

        Assert.Equal(told, streamed.ToString());
    }

    [Fact]
    public async Task ReadmeRequest_ReturnsACorrectCallWithItsReasoning()
    {
        Assert.SkipUnless(File.Exists(Path.Combine(TestPaths.NanoModel, "config.json")), "models/tool-n1-nano is not in this checkout.");
        await using ServerProcess server = await ServerProcess.StartAsync(model: null);
        using StringContent body = new(
            $$$$"""
            {"model":"{{{{Model}}}}","temperature":0,"messages":[{"role":"user","content":"{{{{Question}}}}"}],
             "tools":[{"type":"function","function":{"name":"get_weather","description":"Get the current weather of a city.",
               "parameters":{"type":"object","properties":{"city":{"type":"string","description":"The city, for example Paris."}},"required":["city"]}}}]}
            """,
            Encoding.UTF8,
            "application/json");
        using HttpResponseMessage response = await server.Http.PostAsync("/v1/chat/completions", body, TestContext.Current.CancellationToken);
        JsonNode choice = JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!["choices"]![0]!;

        Assert.Equal("tool_calls", choice["finish_reason"]!.GetValue<string>());
        JsonNode function = choice["message"]!["tool_calls"]!.AsArray().Single()!["function"]!;
        AssertParis(function["name"]!.GetValue<string>(), function["arguments"]!.GetValue<string>());
        Assert.NotEmpty(choice["message"]!["reasoning_content"]!.GetValue<string>());
    }

    private static void AssertParis(string name, string arguments)
    {
        Assert.Equal("get_weather", name);
        JsonObject given = JsonNode.Parse(arguments)!.AsObject();
        Assert.Equal("Paris", Assert.Single(given).Value!.GetValue<string>());
        Assert.True(given.ContainsKey("city"));
    }

    private static async Task<(string Name, string Arguments, ChatFinishReason? Finish)> StreamCallAsync(ChatClient chat, List<ChatMessage> messages, ChatCompletionOptions options)
    {
        StringBuilder name = new();
        StringBuilder arguments = new();
        ChatFinishReason? finish = null;
        await foreach (StreamingChatCompletionUpdate update in chat.CompleteChatStreamingAsync(messages, options, TestContext.Current.CancellationToken))
        {
            finish = update.FinishReason ?? finish;
            foreach (StreamingChatToolCallUpdate piece in update.ToolCallUpdates)
            {
                Assert.Equal(0, piece.Index);
                name.Append(piece.FunctionName);
                arguments.Append(piece.FunctionArgumentsUpdate is { } text ? text.ToString() : "");
            }
        }

        return (name.ToString(), arguments.ToString(), finish);
    }
}
