using System.Text.RegularExpressions;
using ToolN1.Api.Shapes;

namespace ToolN1.Api.Contracts;

/// <summary>The messages of a conversation, as POST /v1/chat/completions and /tokenize take them.</summary>
internal static partial class MessageShapes
{
    private static readonly Dictionary<string, string> RefusedParts = new()
    {
        ["image_url"] = Refusals.TextOnly,
        ["input_audio"] = Refusals.TextOnly,
        ["file"] = Refusals.TextOnly,
    };

    private static readonly ObjectShape TextPart = new(
        "TextContentPart",
        "A piece of a message's text.",
        [
            new("type", new StringShape { Values = ["text"] }, "Always `text`.") { Required = true },
            new("text", new StringShape(), "The text. Control tokens in it are plain text to the model.") { Required = true },
        ]);

    private static readonly ObjectShape RefusalPart = new(
        "RefusalContentPart",
        "What an assistant refused with.",
        [
            new("type", new StringShape { Values = ["refusal"] }, "Always `refusal`.") { Required = true },
            new("refusal", new StringShape(), "The text; to the model it is the assistant's answer.") { Required = true },
        ]);

    private static readonly UnionShape Content = Parts(
        new Dictionary<string, ObjectShape> { ["text"] = TextPart },
        new(RefusedParts) { ["refusal"] = "Only an assistant refuses." });

    private static readonly UnionShape AssistantContent = Parts(
        new Dictionary<string, ObjectShape> { ["text"] = TextPart, ["refusal"] = RefusalPart }, RefusedParts);

    private static readonly Field Name = new(
        "name", new StringShape { Pattern = SpeakerName(), MinLength = 1, MaxLength = 64 }, "Who among several of the same role speaks; the model reads it before the text, `Name: `.");

    private static readonly ObjectShape FunctionCall = new(
        "FunctionCallInput",
        "The called function.",
        [
            new("name", new StringShape { MinLength = 1 }, "The function's name.") { Required = true },
            new("arguments", new StringShape(), "Its arguments: the text of a JSON object; an empty text counts as `{}`.") { Required = true },
        ]);

    private static readonly ObjectShape ToolCall = new(
        "ToolCallInput",
        "A call that the assistant made earlier.",
        [
            new("id", new StringShape { MinLength = 1 }, "The call's id; a `tool` message answers it by this id.") { Required = true },
            new("type", new StringShape { Values = ["function"] }, "Always `function`.") { Required = true },
            new("function", FunctionCall, "The called function.") { Required = true },
            new("unknown_tool", new BooleanShape(), "Accepted so that an answer of this server can be sent back as it is.") { Effect = FieldEffect.None },
        ])
    {
        Refused = new Dictionary<string, string> { ["custom"] = "Custom tools are not supported; use type `function`." },
    };

    private static readonly ObjectShape System = Message("SystemMessage", "Instructions.", ["system", "developer"]);

    private static readonly ObjectShape User = Message("UserMessage", "What the person says.", ["user"]);

    private static readonly ObjectShape Assistant = new(
        "AssistantMessage",
        "An earlier answer of the model. It needs `content`, `refusal`, `tool_calls` or `function_call`.",
        [
            Role(["assistant"]),
            new("content", AssistantContent, "The answer's text; may be null or empty beside calls."),
            Name,
            new("refusal", new StringShape(), "What the assistant refused with; to the model it is the assistant's answer, behind `content` where both are given."),
            new("tool_calls", new ArrayShape(ToolCall), "The calls it made, in order. Each needs its `tool` message before the next message of another role."),
            new("function_call", FunctionCall, "The older form of one call, answered by a `function` message. (Deprecated by OpenAI.)"),
            new("reasoning_content", new StringShape(), "Accepted so that an answer can be sent back as it is. Shown to the model only with the server's option `ToolN1:Chat:KeepReasoning`."),
            new("reasoning", new StringShape(), "Another name of `reasoning_content`."),
            new("annotations", new ArrayShape(new AnyObjectShape(), 0, 0), "Accepted empty only, as OpenAI's clients send it back.") { Effect = FieldEffect.None },
        ])
    {
        Refused = new Dictionary<string, string> { ["audio"] = Refusals.TextOnly },
    };

    private static readonly ObjectShape Tool = new(
        "ToolMessage",
        "The result of a call. Results may come in any order: they are matched by id.",
        [
            Role(["tool"]),
            new("content", Content, "The result.") { Required = true },
            new("tool_call_id", new StringShape(), "The id of the call that this answers; a call of the assistant message before.") { Required = true },
            new("name", new StringShape(), "Accepted, as some clients send it; the call already names its function.") { Effect = FieldEffect.None },
        ]);

    private static readonly ObjectShape Function = new(
        "FunctionMessage",
        "The result of a `function_call`. (Deprecated by OpenAI; use a `tool` message.)",
        [
            Role(["function"]),
            new("name", new StringShape { MinLength = 1 }, "The function of the assistant message before.") { Required = true },
            new("content", new StringShape(), "The result; null is an empty one."),
        ]);

    /// <summary>A conversation.</summary>
    public static Field Messages { get; } = new(
        "messages",
        new ArrayShape(
            new TaggedShape("role", new Dictionary<string, ObjectShape>
            {
                ["system"] = System,
                ["developer"] = System,
                ["user"] = User,
                ["assistant"] = Assistant,
                ["tool"] = Tool,
                ["function"] = Function,
            }),
            minItems: 1),
        "The conversation, oldest first.")
    { Required = true };

    private static ObjectShape Message(string name, string description, IReadOnlyList<string> roles) =>
        new(name, description, [Role(roles), new("content", Content, "A text, or text parts that are joined.") { Required = true }, Name]);

    private static UnionShape Parts(IReadOnlyDictionary<string, ObjectShape> kinds, Dictionary<string, string> refused) =>
        new(new StringShape(), new ArrayShape(new TaggedShape("type", kinds) { Refused = refused }, minItems: 1));

    private static Field Role(IReadOnlyList<string> roles) =>
        new("role", new StringShape { Values = roles }, roles.Count == 1 ? $"Always `{roles[0]}`." : "`developer` is the newer name of `system`.") { Required = true };

    [GeneratedRegex(@"\A[^\s<|\\/>]+\z")]
    private static partial Regex SpeakerName();
}
