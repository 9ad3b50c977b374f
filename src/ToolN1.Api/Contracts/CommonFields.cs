using System.Text.Json.Nodes;
using ToolN1.Api.Shapes;

namespace ToolN1.Api.Contracts;

/// <summary>Fields that chat and text completions share, under OpenAI's names and vLLM's.</summary>
internal static class CommonFields
{
    /// <summary>Most sequences of one request (<c>n</c>).</summary>
    public const int MaxChoices = 128;

    /// <summary>Most stop token ids of one request.</summary>
    public const int MaxStopTokenIds = 1024;

    /// <summary>What the fields that ask for log-probabilities say of the size of an answer.</summary>
    public const string LogProbLimit =
        "Tokens that the answer may have, times the log-probabilities of each, over all choices, are at most the server's option `ToolN1:Server:MaxLogProbs`.";

    /// <summary>The served model.</summary>
    public static Field Model { get; } = new("model", new StringShape(), "Id of the served model, as `/v1/models` lists it.") { Required = true };

    /// <summary>How tokens are chosen.</summary>
    public static IReadOnlyList<Field> Sampling { get; } =
    [
        new("temperature", new NumberShape(0, 2), "Randomness; 0 always takes the likeliest token.") { Default = 1 },
        new("top_p", new NumberShape(0, 1), "Nucleus sampling: the smallest set of tokens with at least this probability.") { Default = 1 },
        new("top_k", new IntegerShape(-1, int.MaxValue), "Only the k likeliest tokens; 0 or -1 is off. (vLLM's extension.)") { Default = 0 },
        new("min_p", new NumberShape(0, 1), "Only tokens at least this fraction as likely as the likeliest; 0 is off. (vLLM's extension.)") { Default = 0 },
        new("presence_penalty", new NumberShape(-2, 2), "Subtracted once from the logit of every token generated so far.") { Default = 0 },
        new("frequency_penalty", new NumberShape(-2, 2), "Subtracted from a token's logit for each time it was generated.") { Default = 0 },
        new("repetition_penalty", new NumberShape(0, 10) { MinIsExclusive = true }, "Divides positive and multiplies negative logits of tokens in prompt or answer; 1 is off. (vLLM's extension.)") { Default = 1 },
        new("logit_bias", new MapShape(new NumberShape(-100, 100)), "Added to the logits of token ids: a map from the id, as a string, to the bias."),
        new("seed", new IntegerShape(long.MinValue, long.MaxValue), "Seeds the request's own random generator. The same seed and prompt give the same text; with `n` above 1, choice 0 uses the seed and the others seeds derived from it."),
    ];

    /// <summary>Where an answer ends.</summary>
    public static IReadOnlyList<Field> Ending { get; } =
    [
        new("stop", new UnionShape(new StringShape { MinLength = 1 }, new ArrayShape(new StringShape { MinLength = 1 }, 0, 4)), "One text, or up to four, at which the answer ends; the text itself is not returned."),
        new("stop_token_ids", new ArrayShape(new IntegerShape(0, int.MaxValue), 0, MaxStopTokenIds), "Token ids that end the answer beside the model's own. (vLLM's extension.)"),
        new("min_tokens", new IntegerShape(0, int.MaxValue), "No end-of-turn or stop id is sampled before this many tokens. (vLLM's extension.)") { Default = 0 },
        new("ignore_eos", new BooleanShape(), "Generates through the model's own end-of-turn ids. (vLLM's extension.)") { Default = false },
    ];

    /// <summary>How the answer travels.</summary>
    public static IReadOnlyList<Field> Streaming { get; } =
    [
        new("stream", new BooleanShape(), "True sends server-sent events, one chunk each, closed by `data: [DONE]`.") { Default = false },
        new("stream_options", new ObjectShape(
            "StreamOptions",
            "Options of a streamed answer; only with `stream: true`.",
            [
                new("include_usage", new BooleanShape(), "Adds a last chunk with `usage` and no choices; all others carry `usage: null`.") { Default = false },
                new("include_obfuscation", new BooleanShape { Only = false, Reason = "chunks are not padded with random characters" }, "Only false: chunks are never padded.") { Default = false, Effect = FieldEffect.None },
            ]),
            "Options of a streamed answer; only with `stream: true`."),
    ];

    /// <summary>Who asks. It changes nothing in the answer.</summary>
    public static Field User { get; } = new("user", new StringShape(), "The end user, for the caller's own bookkeeping; it does not change the answer and is not kept.") { Effect = FieldEffect.None };

    /// <summary>What callers send for their own or OpenAI's purposes. It changes nothing in the answer.</summary>
    public static IReadOnlyList<Field> Bookkeeping { get; } =
    [
        new("metadata", new MapShape(new StringShape { MaxLength = 512 }, 16, 64), "Up to 16 pairs for the caller's own bookkeeping; answers are not stored, so it changes nothing.") { Effect = FieldEffect.None },
        User,
        new("safety_identifier", new StringShape(), "A stable id of the end user, for the caller's own bookkeeping; it changes nothing.") { Effect = FieldEffect.None },
        new("prompt_cache_key", new StringShape(), "A hint for routing; there is one server with one prefix cache, so it changes nothing.") { Effect = FieldEffect.None },
        new("service_tier", new StringShape { Values = ["auto", "default"] }, "There is one tier: `auto` and `default` both mean it, others are refused.") { Default = Text("auto"), Effect = FieldEffect.None },
    ];

    /// <summary>Storing answers.</summary>
    public static Field Store { get; } = new("store", new BooleanShape { Only = false, Reason = "answers are not stored" }, "Only false: answers are not stored for later calls of the API. A false that is sent also keeps the request out of what the server's option `ToolN1:Captures:Enabled` sets aside for review.");

    /// <summary>How wordy answers are.</summary>
    public static Field Verbosity { get; } =
        new("verbosity", new StringShape { Values = ["medium"] }, "Only `medium`: the served model has no levels of verbosity.") { Default = Text("medium"), Effect = FieldEffect.None };

    /// <summary>Levels of thinking.</summary>
    public static StringShape ReasoningEffort { get; } = new() { Values = ["none", "minimal", "low", "medium", "high"] };

    /// <summary>Who may share cached prompts.</summary>
    public static Field CacheSalt { get; } = new(
        "cache_salt", new StringShape { MinLength = 1 }, "Only requests with the same salt (and the same API key) share cached prompt prefixes. (vLLM's extension.)");

    /// <summary>The reference to a choice count.</summary>
    public static Field N { get; } = new("n", new IntegerShape(1, MaxChoices), "How many answers to generate; the prompt is computed, and counted in `usage`, once.") { Default = 1 };

    /// <summary>A default that is JSON text.</summary>
    public static JsonNode Text(string value) => JsonValue.Create(value);
}
