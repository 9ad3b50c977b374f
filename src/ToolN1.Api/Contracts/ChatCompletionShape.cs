using ToolN1.Api.Shapes;

namespace ToolN1.Api.Contracts;

/// <summary>What POST /v1/chat/completions takes, field by field.</summary>
internal static class ChatCompletionShape
{
    /// <summary>The whole request.</summary>
    public static ObjectShape Shape { get; } = new(
        "ChatCompletionRequest",
        "A conversation to continue. Optional fields may be null, which is the same as absent; unknown fields are refused.",
        [
            CommonFields.Model,
            MessageShapes.Messages,
            ToolShapes.Tools,
            ToolShapes.ToolChoice,
            ToolShapes.ParallelToolCalls,
            ToolShapes.Functions,
            ToolShapes.FunctionCall,
            ResponseFormatShapes.ResponseFormat,
            new("max_completion_tokens", new IntegerShape(1, int.MaxValue), "Most tokens to generate, reasoning included; absent: as many as the model's length leaves."),
            new("max_tokens", new IntegerShape(1, int.MaxValue), "The older name of `max_completion_tokens`; only one of them may be given."),
            new("reasoning_effort", CommonFields.ReasoningEffort, "How many tokens the model may think before its think tag is closed for it; the server's options `ToolN1:Chat:…ThinkingTokens` say how many each level has, `none` has none. Absent: the model decides."),
            new("include_reasoning", new BooleanShape(), "False leaves the reasoning out of the answer; true sends it as `reasoning` too, beside `reasoning_content`. (vLLM's extension.)"),
            CommonFields.N,
            .. CommonFields.Sampling,
            .. CommonFields.Ending,
            .. CommonFields.Streaming,
            new("logprobs", new BooleanShape(), "Whether to return the log-probability of every generated token of text, reasoning and call markup included.") { Default = false },
            new("top_logprobs", new IntegerShape(0, 20), $"How many of the likeliest tokens to return at each place; needs `logprobs: true`. {CommonFields.LogProbLimit}"),
            CommonFields.CacheSalt,
            new("modalities", new ArrayShape(new StringShape { Values = ["text"] }, 1, 1), "Only `[\"text\"]`.") { Effect = FieldEffect.None },
            CommonFields.Verbosity,
            .. CommonFields.Bookkeeping,
            CommonFields.Store,
        ])
    {
        Refused = new Dictionary<string, string>
        {
            ["audio"] = Refusals.TextOnly,
            ["moderation"] = "There is no moderation model.",
            ["prediction"] = "Predicted outputs would only save time, and this server does not use them.",
            ["prompt_cache_options"] = "The prefix cache has no options of a request.",
            ["prompt_cache_retention"] = "How long a prefix stays cached depends on memory only.",
            ["web_search_options"] = "There is no web search.",
        },
    };
}
