using System.Text;
using ToolN1.Engine.Chat;

namespace ToolN1.Training.Data;

/// <summary>One training example: a conversation with tools and the calls that answer it. A line of a rows file (JSONL).</summary>
public sealed record TrainingRow
{
    /// <summary>Overrides the chat format's own system text; null leaves it.</summary>
    public string? System { get; init; }

    /// <summary>The tools on offer, each with its function object as JSON text.</summary>
    public required IReadOnlyList<ChatTool> Tools { get; init; }

    /// <summary>The conversation, oldest first; at least one message. Holds no system message (see <see cref="System"/>).</summary>
    public required IReadOnlyList<ChatMessage> Messages { get; init; }

    /// <summary>The right calls in order; empty when no tool applies.</summary>
    public required IReadOnlyList<TrainingCall> Answer { get; init; }

    /// <summary>An answer in words in place of calls (no tags); null where the row is answered by calls.</summary>
    public string? Reply { get; init; }

    /// <summary>The reasoning before the call; supervised training needs it where there is no <see cref="Reply"/>, reinforcement does not.</summary>
    public string? Think { get; init; }

    /// <summary>What kind of case this is, for tables of results; null where it does not matter.</summary>
    public string? Category { get; init; }

    /// <summary>What templates of graders see as <c>item</c>, a JSON object's text; null where that is the row itself (see <see cref="TrainingRowWriter.ToItem"/>).</summary>
    public string? Item { get; init; }

    /// <summary>The answer as a JSON list in Python's json.dumps spacing; <c>[]</c> when no tool applies.</summary>
    public string AnswerJson
    {
        get
        {
            StringBuilder text = new("[");
            for (int i = 0; i < Answer.Count; i++)
            {
                text.Append(i == 0 ? string.Empty : ", ").Append("{\"name\": ");
                PythonJson.AppendQuoted(text, Answer[i].Name, ensureAscii: false);
                text.Append(", \"arguments\": ").Append(Answer[i].ArgumentsJson).Append('}');
            }

            return text.Append(']').ToString();
        }
    }

    /// <summary>
    /// The text that supervised training teaches, without the end-of-turn token:
    /// <c>&lt;think&gt;…&lt;/think&gt;&lt;tool_call&gt;[…]&lt;/tool_call&gt;</c>, or the reply.
    /// </summary>
    public string Target => Reply ?? $"<think>{Think}</think><tool_call>{AnswerJson}</tool_call>";

    /// <summary>System text (where given) and messages as a chat format takes them.</summary>
    public IReadOnlyList<ChatMessage> Conversation =>
        System is null ? Messages : [new ChatMessage { Role = ChatRole.System, Content = System }, .. Messages];
}
