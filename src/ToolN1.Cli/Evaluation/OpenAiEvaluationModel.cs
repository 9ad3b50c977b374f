using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Polly;
using Polly.Retry;
using Polly.Timeout;
using ToolN1.Engine.Chat;
using ToolN1.Training.Evaluation.Harness;

namespace ToolN1.Cli.Evaluation;

/// <summary>
/// A model behind an OpenAI-compatible server. Parity mode sends the exact text to <c>completions</c> (or, where a server
/// has only that, the same turns to <c>chat/completions</c>); native mode sends messages and tools. 429, 5xx, dropped
/// connections and timeouts are retried with growing, jittered pauses; a server's Retry-After is obeyed.
/// </summary>
internal sealed class OpenAiEvaluationModel : IEvaluationModel, IDisposable
{
    private readonly HttpClient _client;
    private readonly string _model;
    private readonly int _maxTokens;
    private readonly bool _chatOnly;
    private readonly ResiliencePipeline<HttpResponseMessage> _pipeline;

    /// <param name="handler">The transport; owned.</param>
    /// <param name="baseUrl">With or without the final <c>/v1</c>.</param>
    /// <param name="apiKey">Sent as a bearer token; null for none.</param>
    /// <param name="model">The served model's id.</param>
    /// <param name="maxTokens">Most tokens of an answer.</param>
    /// <param name="chatOnly">Parity mode over chat/completions.</param>
    /// <param name="retries">How often a question is asked again.</param>
    /// <param name="firstPause">Before the first retry; doubled each time.</param>
    /// <param name="timeout">Longest time of one try.</param>
    /// <param name="time">Clock of pauses and timeouts; null for the system's.</param>
    public OpenAiEvaluationModel(
        HttpMessageHandler handler, Uri baseUrl, string? apiKey, string model, int maxTokens, bool chatOnly, int retries, TimeSpan firstPause, TimeSpan timeout, TimeProvider? time = null)
    {
        _client = new HttpClient(handler) { BaseAddress = Root(baseUrl), Timeout = Timeout.InfiniteTimeSpan };
        if (apiKey is not null)
        {
            _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", apiKey);
        }

        _model = model;
        _maxTokens = maxTokens;
        _chatOnly = chatOnly;
        _pipeline = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time ?? TimeProvider.System }
            .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                MaxRetryAttempts = retries,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = firstPause,
                MaxDelay = TimeSpan.FromMinutes(1),
                ShouldHandle = new PredicateBuilder<HttpResponseMessage>().Handle<HttpRequestException>().Handle<TimeoutRejectedException>()
                    .HandleResult(response => response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout || (int)response.StatusCode >= 500),
                DelayGenerator = arguments => ValueTask.FromResult(Asked(arguments.Outcome.Result)),
            })
            .AddTimeout(timeout)
            .Build();
    }

    /// <summary>How native calls are read where a server leaves them in the text: <c>tool-n1</c> or <c>hermes</c>.</summary>
    public string ChatFormat { get; init; } = "hermes";

    /// <summary>The API's root with a final slash.</summary>
    public static Uri Root(Uri baseUrl)
    {
        string path = baseUrl.AbsolutePath.TrimEnd('/');
        return new UriBuilder(baseUrl) { Path = (path.Length == 0 ? "/v1" : path) + "/" }.Uri;
    }

    /// <summary>The first model that the server lists.</summary>
    /// <exception cref="EvaluationModelException">The server lists none or does not answer.</exception>
    public static async Task<string> FirstModelAsync(HttpMessageHandler handler, Uri baseUrl, string? apiKey, CancellationToken cancellationToken)
    {
        using HttpClient client = new(handler, disposeHandler: false) { BaseAddress = Root(baseUrl), Timeout = TimeSpan.FromSeconds(30) };
        if (apiKey is not null)
        {
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", apiKey);
        }

        try
        {
            using JsonDocument models = JsonDocument.Parse(await client.GetStringAsync(new Uri("models", UriKind.Relative), cancellationToken).ConfigureAwait(false));
            return models.RootElement.GetProperty("data")[0].GetProperty("id").GetString()!;
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or KeyNotFoundException or InvalidOperationException or IndexOutOfRangeException or TaskCanceledException)
        {
            throw new EvaluationModelException($"{client.BaseAddress}models lists no model ({e.Message}); name it with --served-model.", e);
        }
    }

    /// <inheritdoc/>
    public async Task<EvaluationReply> AnswerAsync(BenchmarkCase question, EvaluationMode mode, CancellationToken cancellationToken)
    {
        bool raw = mode == EvaluationMode.Parity && !_chatOnly;
        byte[] body = raw ? CompletionBody(question) : ChatBody(question, mode);
        HttpResponseMessage response;
        try
        {
            response = await _pipeline.ExecuteAsync(
                async token =>
                {
                    using ByteArrayContent content = new(body);
                    content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
                    return await _client.PostAsync(new Uri(raw ? "completions" : "chat/completions", UriKind.Relative), content, token).ConfigureAwait(false);
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or TimeoutRejectedException)
        {
            throw new EvaluationModelException(e.Message, e);
        }

        using (response)
        {
            string text = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
            if (response.StatusCode == HttpStatusCode.BadRequest && text.Contains("context_length_exceeded", StringComparison.Ordinal))
            {
                return EvaluationReply.PromptTooLong;
            }

            if (!response.IsSuccessStatusCode)
            {
                throw new EvaluationModelException($"HTTP {(int)response.StatusCode}: {text[..Math.Min(text.Length, 300)]}");
            }

            try
            {
                using JsonDocument answer = JsonDocument.Parse(text);
                return raw ? ReadCompletion(answer.RootElement) : ReadChat(answer.RootElement, mode);
            }
            catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or IndexOutOfRangeException)
            {
                throw new EvaluationModelException($"The server's answer is not in OpenAI's shape: {e.Message}", e);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    /// <summary>The pause that a server asks for, but no more than five minutes; null where it asks for none.</summary>
    private static TimeSpan? Asked(HttpResponseMessage? response)
    {
        RetryConditionHeaderValue? after = response?.Headers.RetryAfter;
        TimeSpan? pause = after?.Delta ?? (after?.Date is DateTimeOffset date ? date - (response!.Headers.Date ?? TimeProvider.System.GetUtcNow()) : null);
        return pause is TimeSpan asked ? TimeSpan.FromSeconds(Math.Clamp(asked.TotalSeconds, 0, 300)) : null;
    }

    private static EvaluationReply ReadCompletion(JsonElement answer)
    {
        JsonElement choice = answer.GetProperty("choices")[0];
        string text = choice.GetProperty("text").GetString() ?? "";
        return Reply(text, text, choice, answer);
    }

    private EvaluationReply ReadChat(JsonElement answer, EvaluationMode mode)
    {
        JsonElement choice = answer.GetProperty("choices")[0];
        JsonElement message = choice.GetProperty("message");
        StringBuilder output = new();
        if (Text(message, "reasoning_content") is string reasoning)
        {
            output.Append("<think>").Append(reasoning).Append("</think>");
        }

        string content = Text(message, "content") ?? "";
        output.Append(content);
        if (!message.TryGetProperty("tool_calls", out JsonElement calls) || calls.ValueKind != JsonValueKind.Array || calls.GetArrayLength() == 0)
        {
            bool truncated = Text(choice, "finish_reason") == "length";
            return Reply(mode == EvaluationMode.Native ? NativeReply.FromText(content, ChatFormat, truncated) : content, output.ToString(), choice, answer);
        }

        output.Append(calls.GetRawText());
        string completion = NativeReply.FromCalls(calls.EnumerateArray().Select(call => call.GetProperty("function"))
            .Select(function => (function.GetProperty("name").GetString() ?? "", function.GetProperty("arguments").GetString() ?? "")));
        return Reply(completion, output.ToString(), choice, answer);
    }

    private static EvaluationReply Reply(string completion, string output, JsonElement choice, JsonElement answer) => new(
        completion, output, Text(choice, "finish_reason") ?? "unknown", Usage(answer, "prompt_tokens"), Usage(answer, "completion_tokens"));

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static int? Usage(JsonElement answer, string name) =>
        answer.TryGetProperty("usage", out JsonElement usage) && usage.ValueKind == JsonValueKind.Object && usage.TryGetProperty(name, out JsonElement count) && count.TryGetInt32(out int value)
            ? value
            : null;

    private byte[] CompletionBody(BenchmarkCase question) => Body(writer =>
    {
        writer.WriteString("prompt", question.ParityText);
        writer.WriteStartArray("stop");
        writer.WriteStringValue("<|im_end|>");
        writer.WriteEndArray();
    });

    private byte[] ChatBody(BenchmarkCase question, EvaluationMode mode) => Body(writer =>
    {
        bool native = mode == EvaluationMode.Native;
        writer.WriteStartArray("messages");
        foreach (ChatMessage message in native ? question.NativeMessages : question.ParityMessages)
        {
            writer.WriteStartObject();
            writer.WriteString("role", message.Role switch { ChatRole.System => "system", ChatRole.Assistant => "assistant", ChatRole.Tool => "tool", _ => "user" });
            writer.WriteString("content", message.Content);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        if (native && question.Tools.Count > 0)
        {
            writer.WriteStartArray("tools");
            foreach (ChatTool tool in question.Tools)
            {
                writer.WriteStartObject();
                writer.WriteString("type", "function");
                writer.WritePropertyName("function");
                writer.WriteRawValue(tool.FunctionJson);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }
    });

    private byte[] Body(Action<Utf8JsonWriter> write)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream))
        {
            writer.WriteStartObject();
            writer.WriteString("model", _model);
            writer.WriteNumber("temperature", 0);
            writer.WriteNumber("max_tokens", _maxTokens);
            write(writer);
            writer.WriteEndObject();
        }

        return stream.ToArray();
    }
}
