using System.Net;
using System.Text;
using System.Text.Json;
using ToolN1.Cli.Evaluation;
using ToolN1.Engine.Chat;
using ToolN1.Training.Evaluation;
using ToolN1.Training.Evaluation.Harness;

namespace ToolN1.EndToEnd.Tests;

public sealed class OpenAiEvaluationModelTests
{
    private static readonly BenchmarkCase Question = new()
    {
        Category = "simple",
        Id = "simple_0",
        ParityMessages = [new ChatMessage { Role = ChatRole.System, Content = "Tools." }, new ChatMessage { Role = ChatRole.User, Content = "Add." }],
        NativeMessages = [new ChatMessage { Role = ChatRole.User, Content = "Add." }],
        Utterances = ["Add."],
        Tools = [new ChatTool("add", """{"name": "add", "parameters": {"type": "object", "properties": {}}}""")],
        ExpectedTools = ["add"],
        Score = _ => new ScoredReply(EvaluationVerdict.Correct, null),
    };

    [Fact]
    public async Task Answer_Parity_SendsTheExactTextAtTemperatureZero()
    {
        using Script script = new((HttpStatusCode.OK, """{"choices": [{"text": "<tool_call>[]</tool_call>", "finish_reason": "stop"}], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}"""));
        using OpenAiEvaluationModel model = Create(script);

        EvaluationReply reply = await model.AnswerAsync(Question, EvaluationMode.Parity, TestContext.Current.CancellationToken);

        Assert.Equal(new EvaluationReply("<tool_call>[]</tool_call>", "<tool_call>[]</tool_call>", "stop", 7, 3), reply);
        (string path, JsonElement body) = Assert.Single(script.Requests);
        Assert.Equal("/v1/completions", path);
        Assert.Equal("<|im_start|>system\nTools.<|im_end|>\n<|im_start|>user\nAdd.<|im_end|>\n<|im_start|>assistant\n", body.GetProperty("prompt").GetString());
        Assert.Equal(0, body.GetProperty("temperature").GetDouble());
    }

    [Fact]
    public async Task Answer_Native_SendsToolsAndReadsStructuredCalls()
    {
        using Script script = new((HttpStatusCode.OK, """{"choices": [{"message": {"content": null, "reasoning_content": "hm", "tool_calls": [{"id": "1", "type": "function", "function": {"name": "add", "arguments": "{\"a\": 1}"}}]}, "finish_reason": "tool_calls"}]}"""));
        using OpenAiEvaluationModel model = Create(script);

        EvaluationReply reply = await model.AnswerAsync(Question, EvaluationMode.Native, TestContext.Current.CancellationToken);

        Assert.Equal(NativeReply.FromCalls([("add", """{"a": 1}""")]), reply.Completion);
        Assert.StartsWith("<think>hm</think>", reply.Output, StringComparison.Ordinal);
        (string path, JsonElement body) = Assert.Single(script.Requests);
        Assert.Equal("/v1/chat/completions", path);
        Assert.Equal("add", body.GetProperty("tools")[0].GetProperty("function").GetProperty("name").GetString());
    }

    [Theory]
    [InlineData("hermes", 2)]
    [InlineData("tool-n1", 1)]
    public async Task Answer_NativeServerThatLeavesCallsInTheText_AreReadByTheGivenFormat(string format, int calls)
    {
        using Script script = new((HttpStatusCode.OK, """{"choices": [{"message": {"content": "<tool_call>{\"name\": \"add\", \"arguments\": {\"a\": 0}}</tool_call><tool_call>{\"name\": \"add\", \"arguments\": {\"a\": 1}}</tool_call>"}, "finish_reason": "stop"}]}"""));
        using OpenAiEvaluationModel model = new(
            script, new Uri("http://server.test"), "key", "m", 64, chatOnly: false, retries: 1, TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(1))
        { ChatFormat = format };

        EvaluationReply reply = await model.AnswerAsync(Question, EvaluationMode.Native, TestContext.Current.CancellationToken);

        Assert.Equal(NativeReply.FromCalls(Enumerable.Range(0, calls).Select(i => ("add", $$"""{"a": {{i}}}"""))), reply.Completion);
    }

    [Fact]
    public async Task Answer_OverloadedServer_IsAskedAgain()
    {
        using Script script = new(
            (HttpStatusCode.TooManyRequests, "{}"), (HttpStatusCode.ServiceUnavailable, "{}"), (HttpStatusCode.OK, """{"choices": [{"text": "x"}]}"""));
        using OpenAiEvaluationModel model = Create(script);

        EvaluationReply reply = await model.AnswerAsync(Question, EvaluationMode.Parity, TestContext.Current.CancellationToken);

        Assert.Equal("x", reply.Completion);
        Assert.Equal(3, script.Requests.Count);
    }

    [Fact]
    public async Task Answer_DroppedConnectionAndTimeout_AreAskedAgain()
    {
        using Script script = new(
            (HttpStatusCode.OK, Script.Drop), (HttpStatusCode.OK, Script.Hang), (HttpStatusCode.InternalServerError, "{}"), (HttpStatusCode.OK, """{"choices": [{"text": "x"}]}"""));
        using OpenAiEvaluationModel model = Create(script, timeout: TimeSpan.FromMilliseconds(200));

        EvaluationReply reply = await model.AnswerAsync(Question, EvaluationMode.Parity, TestContext.Current.CancellationToken);

        Assert.Equal("x", reply.Completion);
        Assert.Equal(4, script.Requests.Count);
    }

    [Fact]
    public async Task Answer_RetryAfterRetry_PausesGrowUnlessTheServerAsksForOne()
    {
        using Script down = new([.. Enumerable.Repeat((HttpStatusCode.BadGateway, "{}"), 6), (HttpStatusCode.OK, """{"choices": [{"text": "x"}]}""")]);
        PassingTime grown = new();
        using OpenAiEvaluationModel model = Create(down, time: grown);
        await model.AnswerAsync(Question, EvaluationMode.Parity, TestContext.Current.CancellationToken);

        // Six pauses of one second are 6 seconds, six that grow by a second each 21; doubled and jittered ones are never below 22.
        Assert.Equal(6, grown.Pauses.Count);
        Assert.InRange(grown.Pauses.Sum(pause => pause.TotalSeconds), 22, 46);

        using Script busy = new((HttpStatusCode.TooManyRequests, "{}"), (HttpStatusCode.OK, """{"choices": [{"text": "x"}]}""")) { RetryAfter = TimeSpan.FromSeconds(17) };
        PassingTime asked = new();
        using OpenAiEvaluationModel second = Create(busy, time: asked);
        await second.AnswerAsync(Question, EvaluationMode.Parity, TestContext.Current.CancellationToken);

        Assert.Equal([TimeSpan.FromSeconds(17)], asked.Pauses);
    }

    [Fact]
    public async Task Answer_ServerThatStaysDown_IsGivenUpAfterTheRetries()
    {
        using Script script = new([.. Enumerable.Repeat((HttpStatusCode.BadGateway, "{}"), 4)]);
        using OpenAiEvaluationModel model = Create(script);

        EvaluationModelException error = await Assert.ThrowsAsync<EvaluationModelException>(
            () => model.AnswerAsync(Question, EvaluationMode.Parity, TestContext.Current.CancellationToken));

        Assert.Contains("502", error.Message, StringComparison.Ordinal);
        Assert.Equal(4, script.Requests.Count);
    }

    [Fact]
    public async Task Answer_RefusedRequest_IsNotAskedAgain()
    {
        using Script script = new((HttpStatusCode.Unauthorized, """{"error": {"message": "no key"}}"""));
        using OpenAiEvaluationModel model = Create(script);

        EvaluationModelException error = await Assert.ThrowsAsync<EvaluationModelException>(
            () => model.AnswerAsync(Question, EvaluationMode.Parity, TestContext.Current.CancellationToken));

        Assert.Contains("401", error.Message, StringComparison.Ordinal);
        Assert.Single(script.Requests);
    }

    [Fact]
    public async Task Answer_PromptBeyondTheContext_IsAnEmptyAnswer()
    {
        using Script script = new((HttpStatusCode.BadRequest, """{"error": {"code": "context_length_exceeded"}}"""));
        using OpenAiEvaluationModel model = Create(script);

        Assert.Equal(EvaluationReply.PromptTooLong, await model.AnswerAsync(Question, EvaluationMode.Parity, TestContext.Current.CancellationToken));
    }

    private static OpenAiEvaluationModel Create(Script script, TimeSpan? timeout = null) => new(
        script, new Uri("http://server.test"), "key", "m", 64, chatOnly: false, retries: 3, TimeSpan.FromMilliseconds(1), timeout ?? TimeSpan.FromMinutes(1));

    private static OpenAiEvaluationModel Create(Script script, PassingTime time) => new(
        script, new Uri("http://server.test"), "key", "m", 64, chatOnly: false, retries: 6, TimeSpan.FromSeconds(1), PassingTime.Limit, time);

    /// <summary>A clock whose pauses are over at once, and are remembered; only the timeout never comes.</summary>
    private sealed class PassingTime : TimeProvider
    {
        public static readonly TimeSpan Limit = TimeSpan.FromHours(5);

        public List<TimeSpan> Pauses { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime == Limit || dueTime == Timeout.InfiniteTimeSpan)
            {
                return base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, period);
            }

            Pauses.Add(dueTime);
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }

    /// <summary>A server that answers from a script.</summary>
    private sealed class Script(params (HttpStatusCode Status, string Body)[] answers) : HttpMessageHandler
    {
        /// <summary>Instead of a body: the connection breaks.</summary>
        public const string Drop = "drop";

        /// <summary>Instead of a body: no answer comes.</summary>
        public const string Hang = "hang";

        public List<(string Path, JsonElement Body)> Requests { get; } = [];

        /// <summary>The pause that answers ask for.</summary>
        public TimeSpan? RetryAfter { get; init; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            string body = await request.Content!.ReadAsStringAsync(cancellationToken);
            (HttpStatusCode status, string text) = answers[Requests.Count];
            Requests.Add((request.RequestUri!.AbsolutePath, JsonDocument.Parse(body).RootElement.Clone()));
            if (text == Hang)
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }

            if (text == Drop)
            {
                throw new HttpRequestException("The connection broke.");
            }

            HttpResponseMessage response = new(status) { Content = new StringContent(text, Encoding.UTF8, "application/json") };
            response.Headers.RetryAfter = RetryAfter is TimeSpan pause ? new System.Net.Http.Headers.RetryConditionHeaderValue(pause) : null;
            return response;
        }
    }
}
