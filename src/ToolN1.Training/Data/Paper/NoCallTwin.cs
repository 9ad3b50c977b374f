using ToolN1.Engine.Chat;

namespace ToolN1.Training.Data.Paper;

/// <summary>
/// Irrelevance augmentation: beside a row a twin without the called tools, whose right answer is no call. Neither the
/// published head nor ToolACE's says how to answer then, so every row of such a data set gets a sentence that does.
/// </summary>
internal static class NoCallTwin
{
    private const string Instruction = "If none of the functions fits, answer with an empty list of calls: <tool_call>[]</tool_call>.\n";

    /// <summary>The twin; null where no tool remains or nothing was called.</summary>
    public static TrainingRow? Of(TrainingRow row)
    {
        HashSet<string> called = row.Answer.Select(call => call.Name).ToHashSet(StringComparer.Ordinal);
        List<ChatTool> rest = row.Tools.Where(tool => !called.Contains(tool.Name)).ToList();
        return called.Count == 0 || rest.Count == 0 ? null : row with { Tools = rest, Answer = [], Category = row.Category + "-irrelevance" };
    }

    /// <summary>The row with the sentence before its system text.</summary>
    public static TrainingRow Instruct(TrainingRow row) => row with { System = Instruction + (row.System ?? ToolN1Texts.Head) };
}
