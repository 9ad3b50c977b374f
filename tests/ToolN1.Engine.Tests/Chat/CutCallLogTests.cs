using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Constraints;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Tests.Tokenization;
using ToolN1.Engine.Tokenization;
using ToolN1.TestSupport;

namespace ToolN1.Engine.Tests.Chat;

public sealed class CutCallLogTests
{
    private const string Call = "<tool_call>[{\"name\": \"f\", \"arguments\": {\"a\": \"secret\"}}]</tool_call>";

    private static readonly Tokenizer Tiny = TinyTokenizer.Load();

    [Theory]
    [InlineData(LogLevel.Trace, true)]
    [InlineData(LogLevel.Debug, false)]
    public async Task Generate_LimitCutsACall_ItsTextIsLoggedAtTraceOnly(LogLevel least, bool logged)
    {
        Lines log = new(least);
        int[] answer = Tiny.EncodeWithAddedTokens(Call);
        await RunAsync(log, answer, answer.Length - 2);

        Assert.Equal(logged ? [LogLevel.Trace] : [], log.Written.Select(line => line.Level));
        Assert.All(log.Written, line => Assert.Contains("\"a\": \"secret\"", line.Text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Generate_WholeCall_LogsNothing()
    {
        Lines log = new(LogLevel.Trace);
        int[] answer = [.. Tiny.EncodeWithAddedTokens(Call), TinyTokenizer.ImEnd];
        await RunAsync(log, answer, answer.Length);

        Assert.Empty(log.Written);
    }

    private static async Task RunAsync(Lines log, int[] answer, int limit)
    {
        ModelInfo model = new("m", 100_000, Tiny.VocabularySize, [TinyTokenizer.ImEnd], "0");
        ScriptedInferenceEngine engine = new(model, answer);
        IChatFormat format = ChatFormats.Create("tool-n1", ".", Tiny);
        ChatPipeline pipeline = new(engine, Tiny, format, new ChatConstraints(ConstraintCompiler.Create(Tiny, format, model, new EngineOptions()), Options.Create(new EngineOptions())), log);
        ChatRequest request = new() { RequestId = "r", Messages = [new ChatMessage { Role = ChatRole.User, Content = "Hi" }], Tools = [], MaxNewTokens = limit, Sampling = new SamplingParameters() };
        await foreach (ChatEvent piece in pipeline.Generate(await pipeline.PrepareAsync(request, TestContext.Current.CancellationToken), TestContext.Current.CancellationToken))
        {
            _ = piece;
        }
    }

    private sealed class Lines(LogLevel least) : ILogger<ChatPipeline>
    {
        public List<(LogLevel Level, string Text)> Written { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= least;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Written.Add((logLevel, formatter(state, exception)));
    }
}
