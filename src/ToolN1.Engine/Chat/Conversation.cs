namespace ToolN1.Engine.Chat;

/// <summary>The rules that hold between the messages of a conversation.</summary>
public static class Conversation
{
    /// <summary>
    /// Matches tool results to calls by id and puts them in the order of the calls. The formats show results without ids,
    /// so that their order is all a model has to tell them apart.
    /// </summary>
    /// <param name="messages">Oldest first.</param>
    /// <param name="mayEndInCalls">Whether the last calls may still wait for results (a conversation that is only rendered).</param>
    /// <exception cref="ConversationException">
    /// Two calls of a message share an id; a result names no call of the assistant message before it, or one that is answered
    /// already; a call has no result before the next message.
    /// </exception>
    public static IReadOnlyList<ChatMessage> OrderResults(IReadOnlyList<ChatMessage> messages, bool mayEndInCalls = false)
    {
        List<ChatMessage> ordered = new(messages.Count);
        for (int i = 0; i < messages.Count;)
        {
            ChatMessage message = messages[i];
            if (message.Role == ChatRole.Tool)
            {
                throw NoSuchCall(message, i);
            }

            ordered.Add(message);
            Dictionary<string, int> places = PlacesOfCalls(message, i);
            ChatMessage?[] results = new ChatMessage?[places.Count];
            int caller = i++;
            for (; i < messages.Count && messages[i].Role == ChatRole.Tool; i++)
            {
                ChatMessage result = messages[i];
                int place = places.TryGetValue(result.ToolCallId ?? "", out int known) ? known : throw NoSuchCall(result, i);
                results[place] = results[place] is null
                    ? result
                    : throw new ConversationException(i, null, $"an earlier message answers the call '{result.ToolCallId}' already");
            }

            int missing = Array.IndexOf(results, null);
            if (missing >= 0 && !(mayEndInCalls && i == messages.Count))
            {
                throw new ConversationException(
                    caller, missing, $"no tool message answers the call '{message.ToolCalls[missing].Id}' before the next message");
            }

            ordered.AddRange(results.OfType<ChatMessage>());
        }

        return ordered;
    }

    private static ConversationException NoSuchCall(ChatMessage result, int index) =>
        new(index, null, $"the assistant message before it has no call with the id '{result.ToolCallId}'");

    private static Dictionary<string, int> PlacesOfCalls(ChatMessage message, int index)
    {
        Dictionary<string, int> places = new(StringComparer.Ordinal);
        foreach (ToolCall call in message.ToolCalls)
        {
            if (!places.TryAdd(call.Id, places.Count))
            {
                throw new ConversationException(index, places.Count, $"another call of the message has the id '{call.Id}'");
            }
        }

        return places;
    }
}
