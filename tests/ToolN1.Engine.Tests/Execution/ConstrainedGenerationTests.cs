using System.Text.Json;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Tests.Chat;
using ToolN1.Engine.Tests.Constraints;
using ToolN1.Engine.Tokenization;
using ToolN1.TestSupport;
using static ToolN1.Engine.Tests.Execution.EngineHarness;

namespace ToolN1.Engine.Tests.Execution;

/// <summary>A model of random weights under constraints, through the whole engine.</summary>
public sealed class ConstrainedGenerationTests
{
    private const string Parameters =
        """{"type":"object","properties":{"city":{"type":"string","maxLength":12},"days":{"type":"integer","minimum":1,"maximum":14},"units":{"enum":["celsius","fahrenheit"]}},"required":["city","units"],"additionalProperties":false}""";

    private static readonly Lazy<Tokenizer> Tiny =
        new(() => Tokenizer.Load(TinyCheckpoint.WriteTokenizer(Directory.CreateTempSubdirectory("tooln1-constraints-").FullName)));

    private static readonly ChatTool Weather = new("get_weather", $$"""{"name":"get_weather","parameters":{{Parameters}}}""");
    private static readonly ChatTool Stop = new("stop_all", """{"name":"stop_all"}""");

    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("tool-n1", 0f, 20, true)]
    [InlineData("tool-n1", 1.5f, 20, true)]
    [InlineData("tool-n1", 1f, 0, false)]
    [InlineData("hermes", 1f, 20, true)]
    [InlineData("hermes", 2f, 0, false)]
    public async Task Generate_CallRequired_EndsInValidCalls(string format, float temperature, int thinking, bool isParallel)
    {
        await using InferenceEngine engine = Start("qwen2-tiny");
        ChatPipeline pipeline = Pipeline(engine, format);
        for (int seed = 0; seed < 3; seed++)
        {
            ChatRequest request = Request(seed, temperature) with
            {
                ToolChoice = new ToolChoice.Required(),
                ParallelToolCalls = isParallel,
                ThinkingTokens = thinking,
            };
            AssertValidCalls(await Answer(pipeline, request), isParallel);
        }

        // Forced tokens take no step of their own.
        EngineSnapshot snapshot = engine.Snapshot();
        Assert.True(snapshot.ForcedTokens > 0);
        Assert.True(snapshot.Steps < snapshot.GeneratedTokens + snapshot.ForcedTokens);
    }

    [Fact]
    public async Task Generate_SeveralAnswersOfOnePreparedChat_AreEachValidAndTheirOwn()
    {
        await using InferenceEngine engine = Start("qwen2-tiny");
        ChatPipeline pipeline = Pipeline(engine, "tool-n1");
        PreparedChat chat = await pipeline.PrepareAsync(Request(0, 1) with { ToolChoice = new ToolChoice.Required(), ThinkingTokens = 10 }, None);
        ChatCompletionResult[] results = await Task.WhenAll(Enumerable.Range(0, 4).Select(seed => ChatCompletionResult.FoldAsync(
            pipeline.Generate(chat with { Request = chat.Request with { RequestId = $"answer {seed}", Sampling = chat.Request.Sampling with { Seed = seed } } }, None))));
        Assert.All(results, result => AssertValidCalls(result, isParallel: true));
        Assert.Equal(4, results.Select(result => result.Reasoning).Distinct().Count());
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 300)]
    public async Task Generate_EndIgnoredOrDelayed_TheAnswerStaysWhatItHasToBe(bool ignoresEnd, int minTokens)
    {
        await using InferenceEngine engine = Start("qwen2-tiny");
        ChatRequest request = Request(2, 1) with
        {
            Tools = [],
            ResponseFormat = new ResponseFormat.JsonSchema(Parameters, true),
            ThinkingTokens = 0,
            MaxNewTokens = 200,
            Sampling = new SamplingParameters { Temperature = 1, Seed = 2, IgnoreEndOfSequence = ignoresEnd, MinNewTokens = minTokens, FrequencyPenalty = 1, LogitBias = new Dictionary<int, float> { [5] = 100 } },
        };
        ChatCompletionResult result = await Answer(Pipeline(engine, "hermes"), request);
        Assert.True(JsonSchemaValidator.IsValid(Parameters, result.Content!), result.Content);
    }

    [Theory]
    [InlineData("tool-n1", 0)]
    [InlineData("hermes", 0)]
    [InlineData("tool-n1", 20)]
    public async Task Generate_JsonThatHoldsATag_StaysWhole(string format, int thinking)
    {
        await using InferenceEngine engine = Start("qwen2-tiny");
        ChatRequest request = Request(3, 1) with
        {
            Tools = [],
            ResponseFormat = new ResponseFormat.JsonSchema("""{"type":"object","properties":{"tag":{"const":"<tool_call>"}},"required":["tag"]}""", true),
            ThinkingTokens = thinking,
            MaxNewTokens = 200,
        };
        ChatCompletionResult result = await Answer(Pipeline(engine, format), request);
        using JsonDocument answer = JsonDocument.Parse(result.Content!);
        Assert.Equal("<tool_call>", answer.RootElement.GetProperty("tag").GetString());
    }

    [Fact]
    public async Task Generate_NamedTool_CallsIt()
    {
        await using InferenceEngine engine = Start("qwen2-tiny");
        ChatCompletionResult result = await Answer(
            Pipeline(engine, "tool-n1"), Request(1, 1) with { ToolChoice = new ToolChoice.Function("stop_all"), ThinkingTokens = 5, ParallelToolCalls = false });
        Assert.Equal(("stop_all", "{}"), (result.ToolCalls[0].Name, result.ToolCalls[0].Arguments));
        Assert.InRange(result.Usage.ReasoningTokens, 5, 20);
    }

    [Fact]
    public async Task Generate_JsonSchema_AnswersWithAValidValue()
    {
        await using InferenceEngine engine = Start("qwen2-tiny");
        ChatCompletionResult result = await Answer(
            Pipeline(engine, "hermes"), Request(1, 1) with { Tools = [], ResponseFormat = new ResponseFormat.JsonSchema(Parameters, true), ThinkingTokens = 0 });
        Assert.True(JsonSchemaValidator.IsValid(Parameters, result.Content!), result.Content);
        Assert.Equal(ChatFinishReason.Stop, result.FinishReason);
    }

    [Fact]
    public async Task Generate_ForcedTokens_HaveLogProbsAndChangeNothingElse()
    {
        await using InferenceEngine engine = Start("qwen2-tiny");
        ChatPipeline pipeline = Pipeline(engine, "tool-n1");
        ChatRequest request = Request(3, 0.7f) with { ToolChoice = new ToolChoice.Required(), ThinkingTokens = 3, ParallelToolCalls = false };
        ChatCompletionResult plain = await Answer(pipeline, request);
        ChatCompletionResult scored = await Answer(pipeline, request with { Sampling = request.Sampling with { TopLogProbs = 2 } });
        Assert.Equal(plain.ToolCalls.Select(call => call.Arguments), scored.ToolCalls.Select(call => call.Arguments));
        Assert.Equal(scored.Usage.CompletionTokens, scored.LogProbs.Count);
        Assert.All(scored.LogProbs, token => Assert.InRange(token.LogProb.LogProb, float.MinValue, 0));
        Assert.All(scored.LogProbs, token => Assert.Equal(2, token.Top.Count));

        // The log-probabilities are the model's own, as scoring the same text shows.
        PreparedChat prepared = await pipeline.PrepareAsync(request, None);
        int[] answer = [.. scored.LogProbs.Select(token => token.LogProb.TokenId)];
        Generated again = await Run(engine, EngineHarness.Request([.. prepared.Prompt, .. answer], 0, promptLogProbs: 0));
        for (int i = 0; i < answer.Length; i++)
        {
            Assert.Equal(again.PromptLogProbs![prepared.Prompt.Count + i]!.LogProb, scored.LogProbs[i].LogProb.LogProb, 3e-2f);
        }
    }

    [Fact]
    public async Task Generate_TooFewBlocksForAll_PreemptsAndAnswersTheSame()
    {
        ChatRequest[] requests = [.. Enumerable.Range(0, 6).Select(seed => Request(seed, 1) with
        {
            ToolChoice = new ToolChoice.Required(),
            ThinkingTokens = 30,
            Sampling = new SamplingParameters { Temperature = 1, Seed = seed, TopLogProbs = seed % 2 == 0 ? 0 : null },
        })];
        List<string> expected = [];
        await using (InferenceEngine roomy = Start("qwen2-tiny"))
        {
            foreach (ChatRequest request in requests)
            {
                expected.Add(Calls(await Answer(Pipeline(roomy, "hermes"), request)));
            }
        }

        // A cache that holds little more than one sequence makes the others wait and leave.
        await using InferenceEngine tight = Start("qwen2-tiny", options: new EngineOptions { MaxModelLength = 1300, KvCacheMiB = 1, MaxSequences = 6, MaxBatchedTokens = 64 });
        ChatPipeline pipeline = Pipeline(tight, "hermes");
        ChatCompletionResult[] results = await Task.WhenAll(requests.Select(request => Answer(pipeline, request)));
        Assert.Equal(expected, results.Select(Calls));
        Assert.True(tight.Snapshot().UsedBlocks == 0);
    }

    private static string Calls(ChatCompletionResult result) => string.Join(';', result.ToolCalls.Select(call => call.Name + call.Arguments));

    private static void AssertValidCalls(ChatCompletionResult result, bool isParallel)
    {
        Assert.Equal(ChatFinishReason.ToolCalls, result.FinishReason);
        Assert.InRange(result.ToolCalls.Count, 1, isParallel ? int.MaxValue : 1);
        Assert.Empty(result.UnknownTools);
        foreach (ToolCall call in result.ToolCalls)
        {
            string schema = call.Name == Weather.Name ? Parameters : """{"maxProperties":0}""";
            using JsonDocument document = JsonDocument.Parse(call.Arguments);
            Assert.True(JsonSchemaValidator.IsValid(schema, call.Arguments), call.Arguments);
        }
    }

    private static ChatPipeline Pipeline(InferenceEngine engine, string format) =>
        ChatPipelines.Create(engine, Tiny.Value, ChatFormats.Create(format, Path.GetTempPath(), Tiny.Value));

    private static async Task<ChatCompletionResult> Answer(ChatPipeline pipeline, ChatRequest request) =>
        await ChatCompletionResult.FoldAsync(await pipeline.StartAsync(request, None));

    private static ChatRequest Request(int seed, float temperature) => new()
    {
        RequestId = $"request {seed}",
        Messages = [new ChatMessage { Role = ChatRole.User, Content = "hi" }],
        Tools = [Weather, Stop],
        Sampling = new SamplingParameters { Temperature = temperature, Seed = seed },
        MaxNewTokens = 400,
    };
}
