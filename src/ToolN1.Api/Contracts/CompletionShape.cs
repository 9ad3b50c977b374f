using ToolN1.Api.Shapes;

namespace ToolN1.Api.Contracts;

/// <summary>What POST /v1/completions takes, field by field.</summary>
internal static class CompletionShape
{
    /// <summary>Most prompts of one request.</summary>
    public const int MaxPrompts = 1024;

    /// <summary>Most answers of one request, over all of its prompts.</summary>
    public const int MaxAnswers = 1024;

    private static readonly IntegerShape TokenId = new(0, int.MaxValue);

    /// <summary>The whole request.</summary>
    public static ObjectShape Shape { get; } = new(
        "CompletionRequest",
        "Text to continue as it stands, without a chat format. Optional fields may be null, which is the same as absent; unknown fields are refused.",
        [
            CommonFields.Model,
            new("prompt", new UnionShape(
                new StringShape(),
                new ArrayShape(new StringShape(), 1, MaxPrompts),
                new ArrayShape(TokenId, 1),
                new ArrayShape(new ArrayShape(TokenId, 1), 1, MaxPrompts)),
                "A text, token ids, or an array of either. Control tokens written in a text are recognised here.")
            { Required = true },
            new("max_tokens", new IntegerShape(0, int.MaxValue), "Most tokens to generate; 0 with `echo` and `logprobs` only scores the prompt.") { Default = 16 },
            new("echo", new BooleanShape(), "Whether the prompt precedes the answer in `text` and in `logprobs`.") { Default = false },
            new("logprobs", new IntegerShape(0, 20), $"Returns log-probabilities with this many likeliest tokens at each place (OpenAI's limit is 5). The token itself is always among them, so there may be one more. With `echo`, `n` is 1. {CommonFields.LogProbLimit}"),
            CommonFields.N with { Description = $"{CommonFields.N.Description} At most {MaxAnswers} over all prompts." },
            .. CommonFields.Sampling,
            .. CommonFields.Ending,
            .. CommonFields.Streaming,
            new("best_of", new IntegerShape(1, 1), "Only 1: answers are not generated to be thrown away.") { Effect = FieldEffect.None },
            CommonFields.CacheSalt,
            CommonFields.User,
        ])
    {
        Refused = new Dictionary<string, string> { ["suffix"] = "The served model does not fill in the middle." },
    };
}
