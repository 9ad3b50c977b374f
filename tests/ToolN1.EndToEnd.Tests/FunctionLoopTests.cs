using System.ComponentModel;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenAI.Chat;
using ToolN1.Engine.Client;
using ToolN1.Engine.Hosting;
using AIMessage = Microsoft.Extensions.AI.ChatMessage;
using ChatMessage = OpenAI.Chat.ChatMessage;

namespace ToolN1.EndToEnd.Tests;

/// <summary>
/// The function loops of the clients that .NET programs use, against the real server process and in process, over random
/// weights: every call must be valid, the function must run, its result must come back, and the loop must end.
/// </summary>
public sealed class FunctionLoopTests(LoopServer loop) : IClassFixture<LoopServer>, IAsyncDisposable
{
    private const string Question = "What is the weather in Paris?";

    private const string Schema =
        """{"type":"object","properties":{"city":{"type":"string","maxLength":20},"unit":{"type":"string","enum":["Celsius","Fahrenheit"]}},"required":["city","unit"],"additionalProperties":false}""";

    private readonly List<(string City, Unit Unit)> _asked = [];
    private ServiceProvider? _services;

    /// <summary>The values that a call may have.</summary>
    internal enum Unit
    {
        Celsius,
        Fahrenheit,
    }

    private AIFunction Weather => AIFunctionFactory.Create(GetWeather, "get_weather");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_services is not null)
        {
            await _services.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("chat", false)]
    [InlineData("chat", true)]
    [InlineData("responses", false)]
    [InlineData("responses", true)]
    [InlineData("in process", false)]
    [InlineData("in process", true)]
    public async Task ExtensionsAi_FunctionInvocation_RunsTheFunctionAndEnds(string path, bool stream)
    {
        using IChatClient client = Client(path).AsBuilder().UseFunctionInvocation().Build();
        ChatOptions options = new() { Tools = [Weather], ToolMode = ChatToolMode.RequireAny, MaxOutputTokens = 200, Temperature = 1, AllowMultipleToolCalls = false };
        if (path == "responses")
        {
            // Of reasoning, this client reads summaries.
            options.Reasoning = new ReasoningOptions { Output = ReasoningOutput.Full };
        }

        AIMessage[] messages = [new(Microsoft.Extensions.AI.ChatRole.User, Question)];
        ChatResponse response = stream
            ? await client.GetStreamingResponseAsync(messages, options, TestContext.Current.CancellationToken).ToChatResponseAsync(TestContext.Current.CancellationToken)
            : await client.GetResponseAsync(messages, options, TestContext.Current.CancellationToken);

        Assert.Single(_asked);
        AIContent[] contents = [.. response.Messages.SelectMany(message => message.Contents)];
        FunctionCallContent call = Assert.Single(contents.OfType<FunctionCallContent>());
        FunctionResultContent result = Assert.Single(contents.OfType<FunctionResultContent>());
        Assert.Equal(("get_weather", call.CallId), (call.Name, result.CallId));
        Assert.Null(result.Exception);
        Assert.NotEmpty(string.Concat(contents.OfType<TextReasoningContent>().Select(content => content.Text)));
        Assert.Equal(Microsoft.Extensions.AI.ChatRole.Assistant, response.Messages[^1].Role);
        Assert.True(response.Usage!.TotalTokenCount > 0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task InProcess_AndOverHttp_AnswerTheSame(bool withTools)
    {
        ChatOptions options = new() { MaxOutputTokens = 60, Temperature = 0, StopSequences = ["zzzz"] };
        if (withTools)
        {
            // A schema that the OpenAI connector leaves as it is.
            using JsonDocument schema = JsonDocument.Parse(Schema);
            options.Tools = [AIFunctionFactory.CreateDeclaration("get_weather", "Weather of a city", schema.RootElement.Clone())];
            options.ToolMode = ChatToolMode.RequireSpecific("get_weather");
        }

        AIMessage[] messages = [new(Microsoft.Extensions.AI.ChatRole.System, "Be brief."), new(Microsoft.Extensions.AI.ChatRole.User, Question)];
        ChatResponse http = await Client("chat").GetResponseAsync(messages, options, TestContext.Current.CancellationToken);
        ChatResponse own = await Client("in process").GetResponseAsync(messages, options, TestContext.Current.CancellationToken);

        Assert.Equal(Said(http), Said(own));
        Assert.Equal(http.FinishReason, own.FinishReason);
        Assert.Equal(http.ModelId, own.ModelId);
        Assert.Equal(
            (http.Usage!.InputTokenCount, http.Usage.OutputTokenCount, http.Usage.ReasoningTokenCount),
            (own.Usage!.InputTokenCount, own.Usage.OutputTokenCount, own.Usage.ReasoningTokenCount));
    }

    [Fact]
    public async Task InProcess_JsonSchema_IsAValueOfTheType()
    {
        ChatResponse<Place> answer = await Client("in process").GetResponseAsync<Place>(
            Question, options: new ChatOptions { MaxOutputTokens = 300, Temperature = 1, Seed = 3 }, cancellationToken: TestContext.Current.CancellationToken);

        Assert.NotNull(answer.Result.City);
    }

    [Fact]
    public async Task InProcess_WhatIsNotSupported_IsRefusedByName()
    {
        IChatClient client = Client("in process");
        async Task Refused(string name, ChatOptions options)
        {
            NotSupportedException refusal = await Assert.ThrowsAsync<NotSupportedException>(
                () => client.GetResponseAsync(Question, options, TestContext.Current.CancellationToken));
            Assert.Contains(name, refusal.Message, StringComparison.Ordinal);
        }

        await Refused("ConversationId", new ChatOptions { ConversationId = "c" });
        await Refused("frobnicate", new ChatOptions { AdditionalProperties = new() { ["frobnicate"] = 1 } });
        await Refused("HostedWebSearchTool", new ChatOptions { Tools = [new HostedWebSearchTool()] });
        await Refused("ExtraHigh", new ChatOptions { Reasoning = new ReasoningOptions { Effort = ReasoningEffort.ExtraHigh } });
        await Assert.ThrowsAsync<NotSupportedException>(() => client.GetResponseAsync(
            [new AIMessage(Microsoft.Extensions.AI.ChatRole.User, [new DataContent(new byte[] { 1 }, "image/png")])], null, TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<ArgumentException>(() => client.GetResponseAsync(Question, new ChatOptions { ModelId = "other" }, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task OpenAiClient_FunctionLoop_RunsTheFunctionAndEnds()
    {
        ChatClient chat = loop.Server.Client().GetChatClient(LoopServer.Model);
        ChatTool tool = ChatTool.CreateFunctionTool(
            "get_weather",
            "Weather of a city",
            BinaryData.FromString(Schema),
            functionSchemaIsStrict: true);
        List<ChatMessage> messages = [ChatMessage.CreateUserMessage(Question)];
        ChatCompletionOptions options = new() { Tools = { tool }, ToolChoice = ChatToolChoice.CreateRequiredChoice(), MaxOutputTokenCount = 200, Temperature = 1 };

        int turns = 0;
        ChatCompletion answer;
        do
        {
            answer = await chat.CompleteChatAsync(messages, options, TestContext.Current.CancellationToken);
            messages.Add(ChatMessage.CreateAssistantMessage(answer));
            foreach (ChatToolCall call in answer.ToolCalls)
            {
                using JsonDocument arguments = JsonDocument.Parse(call.FunctionArguments);
                JsonElement root = arguments.RootElement;
                string result = GetWeather(root.GetProperty("city").GetString()!, Enum.Parse<Unit>(root.GetProperty("unit").GetString()!));
                messages.Add(ChatMessage.CreateToolMessage(call.Id, result));
            }

            options.ToolChoice = ChatToolChoice.CreateNoneChoice();
        }
        while (answer.FinishReason == OpenAI.Chat.ChatFinishReason.ToolCalls && ++turns < 5);

        Assert.NotEmpty(_asked);
        Assert.Equal(1, turns);
        Assert.Empty(answer.ToolCalls);
    }

    [Description("Weather of a city")]
    private string GetWeather([Description("The city")] string city, Unit unit)
    {
        _asked.Add((city, unit));
        return "21 degrees";
    }

    private IChatClient Client(string path) => path switch
    {
        "chat" => loop.Server.Client().GetChatClient(LoopServer.Model).AsIChatClient(),
#pragma warning disable OPENAI001 // The client's own API is marked as experimental; the server's is what is tested.
        "responses" => loop.Server.Client().GetResponsesClient().AsIChatClient(LoopServer.Model),
#pragma warning restore OPENAI001
        _ => InProcess(),
    };

    private ToolN1ChatClient InProcess()
    {
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(LoopServer.Settings)
            .AddInMemoryCollection(new Dictionary<string, string?> { ["ToolN1:Model:Path"] = loop.ModelFolder }).Build();
        _services ??= new ServiceCollection().AddLogging().AddToolN1Engine(configuration).BuildServiceProvider();
        return _services.GetRequiredService<ToolN1ChatClient>();
    }

    private static string Said(ChatResponse response)
    {
        StringBuilder said = new();
        foreach (AIContent content in response.Messages.SelectMany(message => message.Contents).Where(content => content is not TextContent { Text: "" }))
        {
            said.AppendLine(content switch
            {
                TextContent text => "text: " + text.Text,
                TextReasoningContent reasoning => "reasoning: " + reasoning.Text,
                FunctionCallContent call => $"call: {call.Name} {JsonSerializer.Serialize(call.Arguments)}",
                _ => "",
            });
        }

        return said.ToString();
    }

    private sealed record Place(string City, Unit Unit);
}
