using ToolN1.Engine.Chat;

namespace ToolN1.Training.Export;

/// <summary>A rendered ChatML prompt as messages again, such that Qwen's own template renders them to the same text.</summary>
internal static class ChatMlMessages
{
    private const string Open = "<|im_start|>";
    private const string Close = "<|im_end|>\n";
    private const string Generation = "assistant\n";

    /// <summary>The messages.</summary>
    /// <param name="prompt">With the opening of the assistant's turn at its end; its texts spell no turn token.</param>
    /// <exception cref="NotSupportedException">The prompt is not ChatML.</exception>
    public static List<VerlMessage> Of(ChatPrompt prompt)
    {
        string[] turns = prompt.Text.Split(Open);
        if (turns.Length < 2 || turns[0].Length != 0 || turns[^1] != Generation || !turns[1..^1].All(turn => turn.Contains('\n', StringComparison.Ordinal) && turn.EndsWith(Close, StringComparison.Ordinal)))
        {
            throw new NotSupportedException("Only ChatML prompts (Qwen's turns) can be exported.");
        }

        return [.. turns[1..^1].Select(turn =>
        {
            int line = turn.IndexOf('\n', StringComparison.Ordinal);
            return new VerlMessage { Role = turn[..line], Content = turn[(line + 1)..^Close.Length] };
        })];
    }
}
