using System.Text.Json;
using ToolN1.Api.Errors;
using ToolN1.Api.Shapes;
using ToolN1.Engine;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Sampling;

namespace ToolN1.Api.Contracts;

/// <summary>Maps a checked chat request to the engine's terms, and holds the rules that span several fields.</summary>
internal static class ChatBinder
{
    /// <summary>Maps a request that <see cref="ChatCompletionShape"/> has checked.</summary>
    /// <param name="request">The request.</param>
    /// <param name="model">The served model.</param>
    /// <param name="options">How conversations are served.</param>
    /// <param name="maxLogProbs">Most log-probabilities in one answer (<see cref="ServerOptions.MaxLogProbs"/>).</param>
    /// <param name="tenant">Who asks, as far as the prefix cache is concerned (<see cref="Auth.Tenant"/>).</param>
    /// <exception cref="ApiException">400 or 404 naming the field.</exception>
    public static ChatCall Bind(JsonElement request, ModelInfo model, ChatServingOptions options, int maxLogProbs, string? tenant)
    {
        int? maxNewTokens = MaxNewTokens(request);
        bool withLogProbs = request.Boolean("logprobs") ?? false;
        int? topLogProbs = request.Integer("top_logprobs");
        if (topLogProbs is not null && !withLogProbs)
        {
            throw ApiException.Invalid("top_logprobs", "'top_logprobs' needs 'logprobs' to be true.");
        }

        int choices = request.Integer("n") ?? 1;
        if (withLogProbs)
        {
            LogProbLimit.Check(
                (long)choices * Math.Min(maxNewTokens ?? model.MaxModelLength, model.MaxModelLength),
                topLogProbs ?? 0,
                maxLogProbs,
                topLogProbs is null ? "logprobs" : "top_logprobs",
                "Set 'max_completion_tokens' lower, or ask for fewer alternatives or a smaller 'n'.");
        }

        bool olderForm = IsOlderForm(request);
        IReadOnlyList<ChatTool> tools = olderForm ? ToolBinder.Functions(request) : ToolBinder.Tools(request);
        SamplingParameters sampling = SamplingBinder.Bind(request, model, maxNewTokens);
        ChatRequest chat = new()
        {
            RequestId = "",
            Messages = MessageBinder.Bind(request, options.KeepReasoning),
            Tools = tools,
            ToolChoice = olderForm ? ToolBinder.FunctionCall(request, tools) : ToolBinder.Choice(request, tools),
            ParallelToolCalls = !olderForm && (request.Boolean("parallel_tool_calls") ?? true),
            ResponseFormat = ResponseFormatBinder.Bind(request),
            ThinkingTokens = request.String("reasoning_effort") is string effort ? options.ThinkingTokens(effort) : null,
            AnswersInWords = options.AnswerInWords,
            MaxNewTokens = maxNewTokens,
            Stop = SamplingBinder.Stop(request),
            Sampling = withLogProbs ? sampling with { TopLogProbs = topLogProbs ?? 0 } : sampling,
            CacheSalt = SamplingBinder.CacheSalt(request, tenant),
        };
        return new ChatCall(chat, choices, DeliveryOf(request))
        {
            Fields = new AnswerFields(withLogProbs, olderForm, request.Boolean("include_reasoning") switch
            {
                true => ReasoningFields.Both,
                false => ReasoningFields.None,
                null => ReasoningFields.ReasoningContent,
            }),
        };
    }

    /// <summary>Reads <c>stream</c> and <c>stream_options</c>.</summary>
    public static Delivery DeliveryOf(JsonElement request)
    {
        bool stream = request.Boolean("stream") ?? false;
        bool hasOptions = request.Has("stream_options", out JsonElement options);
        if (hasOptions && !stream)
        {
            throw ApiException.Invalid("stream_options", "'stream_options' is only allowed when 'stream' is true.");
        }

        return new Delivery(stream, hasOptions && (options.Boolean("include_usage") ?? false));
    }

    /// <summary>Whether the request offers <c>functions</c> (or forbids them), and nothing of the newer form.</summary>
    private static bool IsOlderForm(JsonElement request)
    {
        string[] older = ["functions", "function_call"];
        string[] newer = ["tools", "tool_choice", "parallel_tool_calls"];
        string? one = older.FirstOrDefault(name => request.Has(name, out _));
        string? other = newer.FirstOrDefault(name => request.Has(name, out _));
        return one is null || other is null
            ? one is not null
            : throw ApiException.Invalid(one, $"'{one}' is the older form and cannot be given together with '{other}'.");
    }

    private static int? MaxNewTokens(JsonElement request)
    {
        int? newer = request.Integer("max_completion_tokens");
        int? older = request.Integer("max_tokens");
        return newer is not null && older is not null
            ? throw ApiException.Invalid("max_tokens", "'max_tokens' and 'max_completion_tokens' cannot be given together.")
            : newer ?? older;
    }
}
