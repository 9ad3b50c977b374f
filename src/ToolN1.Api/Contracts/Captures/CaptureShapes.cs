using System.Text.RegularExpressions;
using ToolN1.Api.Shapes;

namespace ToolN1.Api.Contracts.Captures;

/// <summary>What the routes of captures take, field by field.</summary>
internal static partial class CaptureShapes
{
    /// <summary>The file's name where an export gives none.</summary>
    public const string DefaultFileName = "captures.jsonl";

    private static readonly ObjectShape Call = new(
        "CorrectedCall",
        "A call as it should have been.",
        [
            new("name", new StringShape { MinLength = 1 }, "A tool that the request offered.") { Required = true },
            new("arguments", new AnyObjectShape(), "Its arguments; they must follow the tool's schema.") { Required = true },
        ]);

    /// <summary>POST /admin/captures/{id}/correct.</summary>
    public static ObjectShape Correct { get; } = new(
        "CorrectCaptureRequest",
        "What a captured answer should have been.",
        [
            new("calls", new ArrayShape(Call), "The right calls, in order; empty where no tool applies.") { Required = true },
            new("reply", new StringShape { MinLength = 1 }, "The right answer in words; needed where the request offered no tools, and only there."),
            new("reasoning", new StringShape(), "The reasoning to teach with it. Absent: none, since the model's own led elsewhere; supervised training needs one."),
        ]);

    /// <summary>POST /admin/captures/export.</summary>
    public static ObjectShape Export { get; } = new(
        "ExportCapturesRequest",
        "Which of the confirmed and corrected captures become a training file. Every field may be left out.",
        [
            new("filename", new StringShape { Pattern = FileName(), MinLength = 1, MaxLength = 255 }, "The file's name: letters, digits, `.`, `-` and `_`.") { Default = CommonFields.Text(DefaultFileName) },
            new("tool", new StringShape { MinLength = 1 }, "Only those whose row calls this tool: a correction that does not call it leaves its capture out."),
            new("tenant", new StringShape { MinLength = 1 }, "Only those of this tenant."),
            new("only_new", new BooleanShape(), "Leaves out what was exported before.") { Default = false },
            new("require_reasoning", new BooleanShape(), "Leaves out calls without reasoning to teach, as supervised training needs it; an answer in words needs none.") { Default = false },
        ]);

    [GeneratedRegex(@"\A[A-Za-z0-9._-]+\z")]
    private static partial Regex FileName();
}
