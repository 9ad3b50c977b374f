using ToolN1.Api.Shapes;

namespace ToolN1.Api.Contracts;

/// <summary>What POST /tokenize and /detokenize take (vLLM's shapes).</summary>
internal static class TokenizeShapes
{
    private static readonly Field OptionalModel = CommonFields.Model with { Required = false };

    /// <summary>POST /tokenize.</summary>
    public static ObjectShape Tokenize { get; } = new(
        "TokenizeRequest",
        "A raw prompt, or a conversation to render in the served chat format: exactly one of `prompt` and `messages`.",
        [
            OptionalModel,
            new("prompt", new StringShape(), "A raw text; control tokens written in it are recognised."),
            MessageShapes.Messages with { Required = false },
            ToolShapes.Tools,
            new("add_generation_prompt", new BooleanShape(), "Whether the rendered conversation ends with the start of an assistant turn; only with `messages`.") { Default = true },
            new("add_special_tokens", new BooleanShape(), "Whether to add what the tokenizer puts around a raw prompt, as `/v1/completions` does (Llama 3: the begin-of-text token); only with `prompt`.") { Default = true },
            new("return_token_strs", new BooleanShape(), "Whether to return each token's text too.") { Default = false },
        ]);

    /// <summary>POST /detokenize.</summary>
    public static ObjectShape Detokenize { get; } = new(
        "DetokenizeRequest",
        "Token ids to turn into text.",
        [
            OptionalModel,
            new("tokens", new ArrayShape(new IntegerShape(0, int.MaxValue)), "The token ids.") { Required = true },
        ]);
}
