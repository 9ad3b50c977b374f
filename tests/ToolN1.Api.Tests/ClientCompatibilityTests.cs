using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using OpenAI;
using OpenAI.Chat;
using ToolN1.Api.Tests.Support;
using ChatMessage = OpenAI.Chat.ChatMessage;

namespace ToolN1.Api.Tests;

/// <summary>What the official clients make of answers whose text a test writes.</summary>
public sealed class ClientCompatibilityTests
{
    private const string TwoCalls =
        """<think>Two.</think><tool_call>[{"name": "get_weather", "arguments": {"city": "Paris"}}, {"name": "ping"}]</tool_call>""";

    private static readonly ChatCompletionOptions Options = new()
    {
        Tools =
        {
            ChatTool.CreateFunctionTool("get_weather", "Weather", BinaryData.FromString("""{"type":"object","properties":{"city":{"type":"string"}}}""")),
            ChatTool.CreateFunctionTool("ping"),
        },
    };

    [Fact]
    public async Task OpenAiClient_StreamedParallelCalls_AreTheWholeAnswersCalls()
    {
        using ApiServer server = new(engine => engine.Answer = _ => TwoCalls);
        ChatClient chat = Client(server);
        ChatCompletion whole = await chat.CompleteChatAsync([ChatMessage.CreateUserMessage("Hi")], Options, TestContext.Current.CancellationToken);
        (string Id, string Name, string Arguments, int Pieces)[] calls = await StreamedCallsAsync(chat);

        Assert.Equal([("get_weather", """{"city": "Paris"}"""), ("ping", "{}")], whole.ToolCalls.Select(call => (call.FunctionName, call.FunctionArguments.ToString())));
        Assert.Equal([("get_weather", """{"city": "Paris"}"""), ("ping", "{}")], calls.Select(call => (call.Name, call.Arguments)));
        Assert.Equal(2, calls.Select(call => call.Id).Distinct().Count());
    }

    [Fact]
    public async Task OpenAiClient_LongStreamedArguments_AreTheWholeAnswersText()
    {
        string city = string.Concat(Enumerable.Repeat("Grüße aus 世界 😀, ", 50));
        using ApiServer server = new(engine => engine.Answer = _ => $$$"""<tool_call>[{"name": "get_weather", "arguments": {"city":  "{{{city}}}"}}, {"name": "ping"}]</tool_call>""");
        ChatClient chat = Client(server);
        ChatCompletion whole = await chat.CompleteChatAsync([ChatMessage.CreateUserMessage("Hi")], Options, TestContext.Current.CancellationToken);
        (string Id, string Name, string Arguments, int Pieces)[] calls = await StreamedCallsAsync(chat);

        Assert.Equal($$"""{"city":  "{{city}}"}""", calls[0].Arguments);
        Assert.Equal(whole.ToolCalls.Select(call => (call.FunctionName, call.FunctionArguments.ToString())), calls.Select(call => (call.Name, call.Arguments)));
        Assert.True(calls[0].Pieces > 2 && calls[1].Pieces == 1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ExtensionsAi_Reasoning_IsTextReasoningContent(bool stream)
    {
        using ApiServer server = new(engine => engine.Answer = _ => "<think>Why not.</think>Yes.");
        IChatClient client = Client(server).AsIChatClient();
        ChatResponse response = stream
            ? await client.GetStreamingResponseAsync("Hi", cancellationToken: TestContext.Current.CancellationToken).ToChatResponseAsync(TestContext.Current.CancellationToken)
            : await client.GetResponseAsync("Hi", cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal("Yes.", response.Text);
        Assert.Equal("Why not.", string.Concat(response.Messages.SelectMany(message => message.Contents).OfType<TextReasoningContent>().Select(content => content.Text)));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("absent")]
    [InlineData("""{"type":"object","properties":{}}""")]
    public async Task ToolWithoutParameters_IsCalledWithAnEmptyObject(string parameters)
    {
        string field = parameters == "absent" ? "" : $",\"parameters\":{parameters}";
        string more = $"\"tools\":[{{\"type\":\"function\",\"function\":{{\"name\":\"ping\"{field}}}}}],\"tool_choice\":\"required\"";
        foreach (string written in new[] { "", ", \"arguments\": {}", ", \"arguments\": null" })
        {
            using ApiServer server = new(engine => engine.Answer = _ => $"<tool_call>[{{\"name\": \"ping\"{written}}}]</tool_call>");
            JsonNode whole = await server.PostJsonAsync(Json.ChatRoute, Json.Chat(more));
            IReadOnlyList<JsonNode> chunks = await server.StreamAsync(Json.ChatRoute, Json.Chat(more));

            Assert.Equal("{}", whole["choices"]![0]!["message"]!["tool_calls"]![0]!["function"]!["arguments"]!.GetValue<string>());
            Assert.Equal("{}", string.Concat(chunks.Select(chunk => chunk["choices"]![0]!["delta"]!["tool_calls"]?[0]!["function"]!["arguments"]!.GetValue<string>())));
            Assert.True(server.Engine.Requests.First().Constraint!.Accepts("<think>Hm.</think><tool_call>[{\"name\": \"ping\", \"arguments\": {}}]</tool_call>"u8));
        }
    }

    /// <summary>The calls of a streamed answer, put together as the client's documentation does, and how many pieces of arguments each came in.</summary>
    private static async Task<(string Id, string Name, string Arguments, int Pieces)[]> StreamedCallsAsync(ChatClient chat)
    {
        SortedDictionary<int, (string? Id, string? Name, StringBuilder Arguments, int Pieces)> calls = [];
        await foreach (StreamingChatCompletionUpdate update in chat.CompleteChatStreamingAsync([ChatMessage.CreateUserMessage("Hi")], Options, TestContext.Current.CancellationToken))
        {
            foreach (StreamingChatToolCallUpdate piece in update.ToolCallUpdates)
            {
                (string? id, string? name, StringBuilder arguments, int pieces) =
                    calls.TryGetValue(piece.Index, out (string? Id, string? Name, StringBuilder Arguments, int Pieces) known) ? known : (null, null, new StringBuilder(), 0);
                string more = piece.FunctionArgumentsUpdate?.ToString() ?? "";
                arguments.Append(more);
                calls[piece.Index] = (piece.ToolCallId ?? id, piece.FunctionName ?? name, arguments, pieces + (more.Length > 0 ? 1 : 0));
            }
        }

        Assert.Equal(Enumerable.Range(0, calls.Count), calls.Keys);
        return [.. calls.Values.Select(call => (call.Id!, call.Name!, call.Arguments.ToString(), call.Pieces))];
    }

    private static ChatClient Client(ApiServer server) => new(
        FakeEngine.ModelName,
        new ApiKeyCredential("none"),
        new OpenAIClientOptions { Endpoint = new Uri(server.Client.BaseAddress!, "/v1"), Transport = new HttpClientPipelineTransport(server.Client) });
}
