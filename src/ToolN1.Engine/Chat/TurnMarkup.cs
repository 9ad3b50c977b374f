using ToolN1.Engine.Tokenization;

namespace ToolN1.Engine.Chat;

/// <summary>How a model family marks whose turn it is; independent of how tools are offered and called.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Start">Before the first turn.</param>
/// <param name="BeforeRole">Opens a turn.</param>
/// <param name="AfterRole">Between role and text.</param>
/// <param name="End">Closes a turn.</param>
/// <param name="ToolRole">The role of tool results.</param>
/// <param name="JoinsToolResults">Consecutive tool results share a turn, each in tool_response tags; else each is a turn by itself.</param>
/// <param name="TrimsText">Texts lose white space at both ends, as this family's template does.</param>
/// <param name="DefaultSystem">The system text that the family's template adds where there is none, or null.</param>
/// <param name="StopTokens">Tokens that end a turn.</param>
internal sealed record TurnMarkup(
    string Name,
    string Start,
    string BeforeRole,
    string AfterRole,
    string End,
    string ToolRole,
    bool JoinsToolResults,
    bool TrimsText,
    string? DefaultSystem,
    IReadOnlyList<string> StopTokens)
{
    /// <summary>Qwen's turns.</summary>
    public static TurnMarkup ChatMl { get; } = new(
        "ChatML",
        Start: "",
        BeforeRole: "<|im_start|>",
        AfterRole: "\n",
        End: "<|im_end|>\n",
        ToolRole: "user",
        JoinsToolResults: true,
        TrimsText: false,
        DefaultSystem: "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.",
        StopTokens: ["<|im_end|>", "<|endoftext|>"]);

    /// <summary>Llama 3's turns (its own template; the date lines that 3.1's adds to the system turn are not added).</summary>
    public static TurnMarkup Llama3 { get; } = new(
        "Llama 3 headers",
        Start: "<|begin_of_text|>",
        BeforeRole: "<|start_header_id|>",
        AfterRole: "<|end_header_id|>\n\n",
        End: "<|eot_id|>",
        ToolRole: "ipython",
        JoinsToolResults: false,
        TrimsText: true,
        DefaultSystem: null,
        StopTokens: ["<|eot_id|>", "<|eom_id|>", "<|end_of_text|>"]);

    /// <summary>The markup whose tokens a tokenizer has.</summary>
    /// <exception cref="NotSupportedException">It has neither's.</exception>
    public static TurnMarkup Choose(Tokenizer tokenizer)
    {
        bool Has(params string[] tokens) => tokens.All(token => tokenizer.FindAddedToken(token) is not null);
        return Has("<|im_start|>", "<|im_end|>") ? ChatMl
            : Has("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>") ? Llama3
            : throw new NotSupportedException("The tokenizer has neither ChatML's turn tokens (<|im_start|>, <|im_end|>) nor Llama 3's (<|begin_of_text|>, <|start_header_id|>, <|end_header_id|>, <|eot_id|>) among its added tokens.");
    }

    /// <summary>The template text that opens a turn.</summary>
    public string Open(string role) => BeforeRole + role + AfterRole;

    /// <summary>A message's text as this family writes it.</summary>
    public string Text(string? text) => TrimsText ? (text ?? "").Trim() : text ?? "";
}
