using ToolN1.Engine.Constraints;

namespace ToolN1.Engine.Chat;

/// <summary>How a model is spoken to: turns, tool catalogue, calls. Immutable and thread-safe.</summary>
public interface IChatFormat
{
    /// <summary><c>tool-n1</c> or <c>hermes</c>.</summary>
    string Name { get; }

    /// <summary>Tokens that end the model's turn; a tokenizer need not have all of them.</summary>
    IReadOnlyList<string> StopTokens { get; }

    /// <summary>How the model writes thinking and calls.</summary>
    AnswerMarkup Markup { get; }

    /// <summary>Renders a conversation. The same messages and tools always give the same text, tools first.</summary>
    /// <param name="messages">Oldest first; at least one.</param>
    /// <param name="tools">The tools on offer.</param>
    /// <param name="addGenerationPrompt">Ends with the opening of the assistant's turn.</param>
    /// <exception cref="ArgumentException">No message, or a tool or a past call whose JSON text is not JSON; the message says which.</exception>
    ChatPrompt Render(IReadOnlyList<ChatMessage> messages, IReadOnlyList<ChatTool> tools, bool addGenerationPrompt);

    /// <summary>A parser for one answer.</summary>
    /// <param name="tools">The tools that were on offer; a call of any other is reported as unknown. Null: calls are not read, their tags are dropped.</param>
    /// <param name="contentIsJson">Whether a grammar holds the content to one JSON value, so that it leaves as it was written.</param>
    ChatOutputParser CreateParser(IReadOnlyList<ChatTool>? tools, bool contentIsJson = false);

    /// <summary>The format as a Jinja chat template for tokenizer_config.json, so that other tools render the same prompt.</summary>
    string ToJinja();
}
