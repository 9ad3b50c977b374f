using System.Text.RegularExpressions;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.AceBench;

/// <summary>A reference call; <c>name_1</c>, <c>name_2</c> in the file mark repeated calls of <c>name</c>.</summary>
internal sealed partial record AceAnswer(string Key, PyValue Arguments)
{
    /// <summary>The function's name without the mark.</summary>
    public string Name { get; } = RepeatMark().Replace(Key, "");

    [GeneratedRegex(@"_\d+$")]
    private static partial Regex RepeatMark();
}
