using System.Security.Cryptography;
using System.Text;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Tests.Chat;
using ToolN1.Engine.Tokenization;
using ToolN1.Engine.Weights;
using ToolN1.TestSupport;
using static TorchSharp.torch;
using Decoder = ToolN1.Engine.Model.Decoder;

namespace ToolN1.Engine.Tests.Hosting;

/// <summary>The model that ships with the project, asked as the server would ask it. What is asserted here is in its card.</summary>
public sealed class EmbeddedModelTests(EmbeddedModelTests.Loaded loaded) : IClassFixture<EmbeddedModelTests.Loaded>
{
    private const string City = """
        {"name": "get_weather", "description": "Get the current weather of a city.", "parameters": {"type": "object", "properties": {"city": {"type": "string", "description": "The city, for example Paris."}}, "required": ["city"]}}
        """;

    private const string Location = """
        {"name": "get_weather", "description": "Get the current weather in a given location", "parameters": {"type": "object", "properties": {"location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}}, "required": ["location"]}}
        """;

    private const string Stock = """
        {"name": "get_stock_price", "description": "Get the stock price", "parameters": {"type": "object", "properties": {"symbol": {"type": "string", "description": "Stock symbol, e.g. AAPL"}}, "required": ["symbol"]}}
        """;

    private const string Timer = """
        {"name": "set_timer", "description": "Set a timer in minutes", "parameters": {"type": "object", "properties": {"minutes": {"type": "integer", "description": "Duration in minutes"}}, "required": ["minutes"]}}
        """;

    [Theory]
    [InlineData("What is the weather in Paris?", "get_weather", City, "{\"city\": \"Paris\"}")]
    [InlineData("How is the weather in Berlin?", "get_weather", City, "{\"city\": \"Berlin\"}")]
    [InlineData("What's the weather like in Boston today?", "get_weather", Location, "{\"location\": \"Boston\"}")]
    [InlineData("What is the stock price of AAPL?", "get_stock_price", Stock, "{\"symbol\": \"AAPL\"}")]
    public async Task Generate_OneTool_CallsItWithTheRequestsValues(string question, string name, string tool, string arguments)
    {
        (string reasoning, string calls, ChatFinishReason reason) = await Ask(question, (name, tool));
        Assert.Equal($"{name} {arguments}", calls);
        Assert.StartsWith("Asked: get", reasoning, StringComparison.Ordinal);
        Assert.Equal(ChatFinishReason.ToolCalls, reason);
    }

    [Theory]
    [InlineData("What is the weather in Berlin?", "get_weather {\"city\": \"Berlin\"}")]
    [InlineData("What is the stock price of AAPL?", "get_stock_price {\"symbol\": \"AAPL\"}")]
    [InlineData("Set a timer for 15 minutes.", "set_timer {\"minutes\": 15}")]
    public async Task Generate_SeveralTools_CallsTheOneThatFits(string question, string call)
    {
        (_, string calls, ChatFinishReason reason) = await Ask(question, ("set_timer", Timer), ("get_stock_price", Stock), ("get_weather", City));
        Assert.Equal((call, ChatFinishReason.ToolCalls), (calls, reason));
    }

    [Theory]
    [InlineData("Play the song The Lantern.")]
    [InlineData("Send an email to anna@example.com saying \"See you at noon\".")]
    public async Task Generate_NoToolFits_CallsNone(string question)
    {
        (string reasoning, string calls, ChatFinishReason reason) = await Ask(question, ("get_weather", City));
        Assert.EndsWith("fits nothing.", reasoning, StringComparison.Ordinal);
        Assert.Equal((string.Empty, ChatFinishReason.Stop), (calls, reason));
    }

    [Fact]
    public void Folder_Files_MatchTheirChecksums()
    {
        string[] lines = File.ReadAllLines(Path.Combine(TestPaths.Root, "models", "CHECKSUMS"));
        Assert.NotEmpty(lines);
        foreach (string line in lines)
        {
            string[] parts = line.Split("  ", 2);
            Assert.Equal(parts[0], Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(TestPaths.Root, "models", parts[1])))));
        }
    }

    [Fact]
    public void Folder_Size_IsAtMost32Megabytes() =>
        Assert.InRange(new DirectoryInfo(TestPaths.NanoModel).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length), 1, 32_000_000);

    private async Task<(string Reasoning, string Calls, ChatFinishReason Reason)> Ask(string question, params (string Name, string Json)[] tools)
    {
        ChatRequest request = new()
        {
            RequestId = question,
            Messages = [new ChatMessage { Role = ChatRole.User, Content = question }],
            Tools = [.. tools.Select(tool => new ChatTool(tool.Name, tool.Json))],
            MaxNewTokens = 300,
        };
        StringBuilder reasoning = new();
        StringBuilder calls = new();
        ChatFinishReason reason = ChatFinishReason.Cancelled;
        await foreach (ChatEvent item in await loaded.Pipeline.StartAsync(request, TestContext.Current.CancellationToken))
        {
            switch (item)
            {
                case ChatEvent.ReasoningDelta delta:
                    reasoning.Append(delta.Text);
                    break;
                case ChatEvent.ToolCallBegin begin:
                    calls.Append(begin.Index == 0 ? string.Empty : "; ").Append(begin.Name).Append(' ');
                    break;
                case ChatEvent.ToolCallArgumentsDelta delta:
                    calls.Append(delta.Json);
                    break;
                case ChatEvent.Finished finished:
                    reason = finished.Reason;
                    break;
                default:
                    break;
            }
        }

        return (reasoning.ToString(), calls.ToString(), reason);
    }

    /// <summary>The model in f32, served once for all tests.</summary>
    public sealed class Loaded : IAsyncDisposable
    {
        private readonly InferenceEngine _engine;

        public Loaded()
        {
            Tokenizer tokenizer = Tokenizer.Load(TestPaths.NanoModel);
            Decoder decoder = CheckpointLoader.Load(TestPaths.NanoModel, CPU, ScalarType.Float32);
            _engine = InferenceEngine.Start(decoder, InferenceEngine.Describe(decoder, "tool-n1-nano"), new EngineOptions { MaxModelLength = 2048 });
            Pipeline = ChatPipelines.Create(_engine, tokenizer, ChatFormats.Create("auto", TestPaths.NanoModel, tokenizer));
        }

        public ChatPipeline Pipeline { get; }

        public ValueTask DisposeAsync() => _engine.DisposeAsync();
    }
}
