using ToolN1.Engine.Chat;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Tests.Tokenization;
using ToolN1.Engine.Tokenization;
using ToolN1.TestSupport;

namespace ToolN1.Engine.Tests.Chat;

public sealed class ChatPipelineTests
{
    private const string Call = "<tool_call>[{\"name\": \"f\", \"arguments\": {\"a\": \"é😀\"}}]</tool_call>";

    private static readonly Tokenizer Tiny = TinyTokenizer.Load();

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    public async Task Generate_ToolN1_EndsTheSequenceAtTheFirstCompleteBlock(int updateSize)
    {
        int[] answer = Tiny.EncodeWithAddedTokens("<think>é?</think>" + Call + "more and more and more<|im_end|>");
        int complete = Tiny.EncodeWithAddedTokens("<think>é?</think>" + Call).Length;
        (ScriptedInferenceEngine engine, ChatCompletionResult result) = await Run("tool-n1", answer, updateSize: updateSize);
        Assert.Equal(("é?", null, ChatFinishReason.ToolCalls), (result.Reasoning, result.Content, result.FinishReason));
        Assert.Equal("{\"a\": \"é😀\"}", Assert.Single(result.ToolCalls).Arguments);
        Assert.Equal(engine.Requests[0].PromptTokenIds.Count, result.Usage.PromptTokens);
        Assert.Equal(complete, result.Usage.CompletionTokens);
        Assert.Equal(Tiny.EncodeWithAddedTokens("<think>é?</think>").Length, result.Usage.ReasoningTokens);
        Assert.Equal(engine.Requests[0].PromptTokenIds.Count / 2, result.Usage.CachedPromptTokens);
        Assert.Equal(updateSize != 1000, engine.LeftEarly);
    }

    [Fact]
    public async Task Generate_ControlTokens_AreDroppedByIdAndTheTurnsEndIsCounted()
    {
        int[] answer = [.. Tiny.Encode("he"), TinyTokenizer.ImStart, TinyTokenizer.EndOfText - 1, .. Tiny.Encode("llo"), TinyTokenizer.ImEnd];
        (ScriptedInferenceEngine engine, ChatCompletionResult result) = await Run("hermes", answer);
        Assert.Equal(("hexyzllo", ChatFinishReason.Stop), (result.Content, result.FinishReason));
        Assert.Equal(answer.Length, result.Usage.CompletionTokens);
        Assert.Contains(TinyTokenizer.ImEnd, engine.Requests[0].Sampling.StopTokenIds);
    }

    [Theory]
    [InlineData("a STOP b", "STOP", "a ")]
    [InlineData("a ST b", "STOP", "a ST b")]
    [InlineData("a STO", "STOP", "a STO")]
    [InlineData("<think>STOP</think>a STOP", "STOP", "a ")]
    [InlineData("é😀 x", "😀", "é")]
    public async Task Generate_StopText_EndsTheVisibleTextAcrossTokens(string text, string stop, string content)
    {
        int[] answer = [.. Tiny.EncodeWithAddedTokens(text), TinyTokenizer.ImEnd];
        (_, ChatCompletionResult result) = await Run("hermes", answer, request => request with { Stop = [stop, "never"] });
        Assert.Equal((content, ChatFinishReason.Stop), (result.Content, result.FinishReason));
    }

    [Fact]
    public async Task Generate_StopText_EndsTheEnginesSequence()
    {
        (ScriptedInferenceEngine engine, ChatCompletionResult result) = await Run("hermes", Tiny.Encode("abcdefghij"), request => request with { Stop = ["cd"] });
        Assert.Equal(("ab", 4, 4, true), (result.Content, result.Usage.CompletionTokens, engine.Delivered, engine.LeftEarly));
    }

    [Fact]
    public async Task Generate_TokenLimitInsideACall_ReportsNoCall()
    {
        int[] answer = Tiny.EncodeWithAddedTokens("ok " + Call);
        (_, ChatCompletionResult result) = await Run("tool-n1", answer, request => request with { MaxNewTokens = answer.Length - 2 });
        Assert.Equal(("ok", 0, ChatFinishReason.Length), (result.Content, result.ToolCalls.Count, result.FinishReason));
        Assert.Equal(answer.Length - 2, result.Usage.CompletionTokens);
    }

    [Fact]
    public async Task Generate_HermesCallsThenTheLimit_ReportsThemUnlessAnotherWasCut()
    {
        int[] answer = Tiny.EncodeWithAddedTokens("<tool_call>{\"name\": \"f\"}</tool_call><tool_call>{\"name\": \"g\"}</tool_call>");
        (_, ChatCompletionResult whole) = await Run("hermes", answer, request => request with { MaxNewTokens = answer.Length, Tools = [new ChatTool("f", "{}")] });
        Assert.Equal((2, ChatFinishReason.ToolCalls), (whole.ToolCalls.Count, whole.FinishReason));
        Assert.Equal([1], whole.UnknownTools);
        (_, ChatCompletionResult cut) = await Run("hermes", answer, request => request with { MaxNewTokens = answer.Length - 1 });
        Assert.Equal((1, ChatFinishReason.Length), (cut.ToolCalls.Count, cut.FinishReason));
    }

    [Fact]
    public async Task Generate_LogProbs_OneForEachTokenThatMadeText()
    {
        int[] answer = [.. Tiny.Encode("é1"), TinyTokenizer.ImEnd];
        (_, ChatCompletionResult result) = await Run("hermes", answer, request => request with { Sampling = SamplingParameters.Greedy with { TopLogProbs = 0 } });
        Assert.Equal([TinyTokenizer.EAcute, '1'], result.LogProbs.Select(token => token.LogProb.TokenId));
        Assert.Equal([0xC3, 0xA9], result.LogProbs[0].Bytes);
        Assert.Equal("é", result.LogProbs[0].Text);
    }

    [Fact]
    public async Task Generate_Cancelled_TheLastEventSaysSo()
    {
        using CancellationTokenSource cancellation = new();
        ChatPipeline pipeline = Pipeline("hermes", new ScriptedInferenceEngine(Model(4096), Tiny.Encode("abcdef")));
        List<ChatEvent> events = [];
        await foreach (ChatEvent chatEvent in await pipeline.StartAsync(Request(), cancellation.Token))
        {
            events.Add(chatEvent);
            await cancellation.CancelAsync();
        }

        Assert.Equal(ChatFinishReason.Cancelled, Assert.IsType<ChatEvent.Finished>(events[^1]).Reason);
    }

    [Fact]
    public async Task Generate_PromptAndAnswerTooLong_IsRefusedWithAllCountsBeforeTheEngineIsAsked()
    {
        ScriptedInferenceEngine engine = new(Model(100), []);
        int prompt = Pipeline("hermes", engine).Encode(Request()).Length;
        ContextLengthExceededException exception = await Assert.ThrowsAsync<ContextLengthExceededException>(() => Pipeline("hermes", engine).PrepareAsync(Request() with { MaxNewTokens = 90 }, TestContext.Current.CancellationToken));
        Assert.Equal((prompt, 90, 100), (exception.PromptTokens, exception.RequestedTokens, exception.MaxModelLength));
        Assert.Empty(engine.Requests);
    }

    [Fact]
    public async Task Generate_NoLimit_TakesWhatTheModelsLengthLeaves()
    {
        ScriptedInferenceEngine engine = new(Model(4096), []);
        _ = await Pipeline("hermes", engine).StartAsync(Request(), TestContext.Current.CancellationToken);
        Assert.Equal(4096, engine.Requests[0].MaxNewTokens + engine.Requests[0].PromptTokenIds.Count);
    }

    private static async Task<(ScriptedInferenceEngine Engine, ChatCompletionResult Result)> Run(
        string format, IReadOnlyList<int> answer, Func<ChatRequest, ChatRequest>? change = null, int updateSize = 1)
    {
        ScriptedInferenceEngine engine = new(Model(8192), answer, updateSize);
        ChatRequest request = change is null ? Request() : change(Request());
        return (engine, await ChatCompletionResult.FoldAsync(await Pipeline(format, engine).StartAsync(request, TestContext.Current.CancellationToken)));
    }

    private static ChatPipeline Pipeline(string format, ScriptedInferenceEngine engine) =>
        ChatPipelines.Create(engine, Tiny, ChatFormats.Create(format, Path.GetTempPath(), Tiny));

    private static ModelInfo Model(int length) => new("scripted", length, Tiny.VocabularySize, [TinyTokenizer.EndOfText], "1");

    private static ChatRequest Request() => new()
    {
        RequestId = "r",
        Messages = [new ChatMessage { Role = ChatRole.System, Content = "s" }, new ChatMessage { Role = ChatRole.User, Content = "hello" }],
    };
}
