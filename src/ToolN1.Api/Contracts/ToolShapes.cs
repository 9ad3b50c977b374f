using System.Text.RegularExpressions;
using ToolN1.Api.Shapes;

namespace ToolN1.Api.Contracts;

/// <summary>The tools of a request and how they may be called.</summary>
internal static partial class ToolShapes
{
    /// <summary>Most tools of one request, as OpenAI has it.</summary>
    public const int MaxTools = 128;

    /// <summary>Why a custom tool is refused.</summary>
    public const string NoCustomTools = "Custom tools are not supported; use type `function`.";

    private static readonly IReadOnlyList<Field> Function =
    [
        new("name", new StringShape { Pattern = ToolName() }, "Letters, digits, `_` and `-`; up to 64; no two tools may share it.") { Required = true },
        new("description", new StringShape(), "What it does and when to call it; the model reads it."),
        new("parameters", new AnyObjectShape(), "A JSON schema of its arguments; absent, null or `{}` for none. The model reads it as it stands."),
    ];

    /// <summary>Whether arguments are kept to their schema.</summary>
    public static Field Strict { get; } = new(
        "strict", new BooleanShape(), "True: the arguments of every call follow `parameters`, whatever the model; a schema that cannot be enforced is refused with the place in it.")
    { Default = false };

    /// <summary>Name, description and parameters of a function.</summary>
    public static IReadOnlyList<Field> FunctionFields => Function;

    /// <summary>The tools on offer.</summary>
    public static Field Tools { get; } = new(
        "tools",
        new ArrayShape(
            new ObjectShape(
                "ToolInput",
                "A tool that the model may call.",
                [
                    new("type", new StringShape { Values = ["function"] }, "Always `function`.") { Required = true },
                    new("function", new ObjectShape("FunctionInput", "A function.", [.. Function, Strict]), "The function.") { Required = true },
                ])
            {
                Refused = new Dictionary<string, string> { ["custom"] = NoCustomTools },
            },
            maxItems: MaxTools),
        "The functions that the model may call.");

    /// <summary>OpenAI's older way to offer tools.</summary>
    public static Field Functions { get; } = new(
        "functions",
        new ArrayShape(new ObjectShape("DeprecatedFunctionInput", "A function. (Deprecated by OpenAI; use `tools`.)", Function), 1, MaxTools),
        "The older form of `tools`: at most one call an answer, which comes as `function_call`. Not together with `tools`. (Deprecated by OpenAI.)");

    /// <summary>Which tool is called.</summary>
    public static Field ToolChoice { get; } = new(
        "tool_choice",
        new UnionShape(
            new StringShape { Values = ["auto", "none", "required"] },
            new TaggedShape("type", new Dictionary<string, ObjectShape>
            {
                ["function"] = new ObjectShape(
                    "NamedToolChoice",
                    "This tool must be called.",
                    [
                        new("type", new StringShape { Values = ["function"] }, "Always `function`.") { Required = true },
                        new("function", ToolReference("NamedFunction"), "The function.") { Required = true },
                    ]),
                ["allowed_tools"] = new ObjectShape(
                    "AllowedToolsChoice",
                    "Only some of the tools may be called; the model still sees all, so that the prefix cache holds.",
                    [
                        new("type", new StringShape { Values = ["allowed_tools"] }, "Always `allowed_tools`.") { Required = true },
                        new("allowed_tools", new ObjectShape(
                            "AllowedTools",
                            "Which, and whether one must be called.",
                            [
                                new("mode", new StringShape { Values = ["auto", "required"] }, "`auto` lets the model decide, `required` demands a call.") { Required = true },
                                new("tools", new ArrayShape(
                                    new ObjectShape(
                                        "AllowedTool",
                                        "A tool of `tools`.",
                                        [
                                            new("type", new StringShape { Values = ["function"] }, "Always `function`.") { Required = true },
                                            new("function", ToolReference("AllowedFunction"), "The function.") { Required = true },
                                        ]),
                                    1,
                                    MaxTools),
                                    "The allowed ones.")
                                { Required = true },
                            ]),
                            "Which, and whether one must be called.")
                        { Required = true },
                    ]),
            })
            {
                Refused = new Dictionary<string, string> { ["custom"] = NoCustomTools },
            }),
        "`auto` lets the model decide; `none` hides the tools from it; `required` demands a call; an object names the tool to call, or those allowed. What is demanded is enforced while the model writes.")
    { Default = CommonFields.Text("auto") };

    /// <summary>OpenAI's older way to choose.</summary>
    public static Field FunctionCall { get; } = new(
        "function_call",
        new UnionShape(new StringShape { Values = ["auto", "none"] }, ToolReference("FunctionChoice")),
        "The older form of `tool_choice`, for `functions`: `auto`, `none`, or the function to call. (Deprecated by OpenAI.)")
    { Default = CommonFields.Text("auto") };

    /// <summary>How many calls one answer may hold.</summary>
    public static Field ParallelToolCalls { get; } = new(
        "parallel_tool_calls", new BooleanShape(), "Whether one answer may hold several calls; false is enforced while the model writes.")
    { Default = true };

    private static ObjectShape ToolReference(string name) => new(name, "A function by its name.", [new("name", new StringShape { MinLength = 1 }, "Its name.") { Required = true }]);

    [GeneratedRegex(@"\A[A-Za-z0-9_-]{1,64}\z")]
    private static partial Regex ToolName();
}
