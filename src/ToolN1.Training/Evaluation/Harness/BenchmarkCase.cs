using ToolN1.Engine.Chat;

namespace ToolN1.Training.Evaluation.Harness;

/// <summary>One question to ask a model, and the scorer of its answer.</summary>
public sealed record BenchmarkCase
{
    /// <summary>The category it counts for.</summary>
    public required string Category { get; init; }

    /// <summary>Unique within the category.</summary>
    public required string Id { get; init; }

    /// <summary>The conversation of parity mode, the system turn with the tools included.</summary>
    public required IReadOnlyList<ChatMessage> ParityMessages { get; init; }

    /// <summary>The conversation of native mode.</summary>
    public required IReadOnlyList<ChatMessage> NativeMessages { get; init; }

    /// <summary>What the user says in the question, turn by turn, without what the harness writes around it.</summary>
    public required IReadOnlyList<string> Utterances { get; init; }

    /// <summary>The tools of native mode, with names that every server accepts.</summary>
    public required IReadOnlyList<ChatTool> Tools { get; init; }

    /// <summary>The functions that a right answer calls, for the breakdown by tool.</summary>
    public required IReadOnlyList<string> ExpectedTools { get; init; }

    /// <summary>The verdict on a model's full text, with the calls that were read from it.</summary>
    public required Func<string, ScoredReply> Score { get; init; }

    /// <summary>The text of parity mode, byte for byte as published: Qwen's turns with the assistant's opened.</summary>
    public string ParityText => HandlerPrompt.Text(ParityMessages);

    /// <summary>What native mode sends, for the record: the tools as JSON, one a line, then the turns under their roles.</summary>
    public string NativeText
    {
        get
        {
            IEnumerable<string> turns = NativeMessages.Select(message => $"[{message.Role}] {message.Content}");
            return string.Join("\n\n", Tools.Count == 0 ? turns : turns.Prepend("[Tools]\n" + string.Join('\n', Tools.Select(tool => tool.FunctionJson))));
        }
    }
}
