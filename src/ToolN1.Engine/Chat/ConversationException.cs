namespace ToolN1.Engine.Chat;

/// <summary>A tool result that fits no call, or a call that no result fits.</summary>
public sealed class ConversationException : ArgumentException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="messageIndex">Position of the message at fault, from 0.</param>
    /// <param name="callIndex">Position of the call at fault within it; null where the message is a result.</param>
    /// <param name="rule">What is wrong.</param>
    public ConversationException(int messageIndex, int? callIndex, string rule)
        : base($"{Path(messageIndex, callIndex)}: {rule}.")
    {
        MessageIndex = messageIndex;
        CallIndex = callIndex;
        Rule = rule;
    }

    /// <summary>Position of the message at fault, from 0.</summary>
    public int MessageIndex { get; }

    /// <summary>Position of the call at fault within it; null where the message is a result.</summary>
    public int? CallIndex { get; }

    /// <summary>The id at fault as a path in OpenAI's chat API.</summary>
    public string Field => Path(MessageIndex, CallIndex);

    /// <summary>What is wrong, without the field.</summary>
    public string Rule { get; }

    private static string Path(int messageIndex, int? callIndex) =>
        callIndex is null ? $"messages[{messageIndex}].tool_call_id" : $"messages[{messageIndex}].tool_calls[{callIndex}].id";
}
