using System.Text.RegularExpressions;
using ToolN1.Api.Shapes;

namespace ToolN1.Api.Contracts;

/// <summary>What POST /v1/chat/completions takes, field by field.</summary>
internal static partial class ChatCompletionShape
{
    private const string NotThisModel = "The served model reads and writes text only.";
    private const string NeedsConstraints = "This needs constrained decoding, which this version does not have.";

    private static readonly ObjectShape TextPart = new(
        "TextContentPart",
        "A piece of a message's text.",
        [
            new("type", new StringShape { Values = ["text"] }, "Always `text`.") { Required = true },
            new("text", new StringShape(), "The text. Control tokens in it are plain text to the model.") { Required = true },
        ]);

    private static readonly UnionShape Content = new(
        new StringShape(),
        new ArrayShape(
            new TaggedShape("type", new Dictionary<string, ObjectShape> { ["text"] = TextPart })
            {
                Refused = new Dictionary<string, string>
                {
                    ["image_url"] = NotThisModel,
                    ["input_audio"] = NotThisModel,
                    ["file"] = NotThisModel,
                    ["refusal"] = "The served model writes no refusal parts.",
                },
            },
            minItems: 1));

    private static readonly Dictionary<string, string> RefusedOfMessage = new()
    {
        ["name"] = "The chat format has no place for a speaker's name; put it into the content.",
    };

    private static readonly ObjectShape ToolCallShape = new(
        "ToolCallInput",
        "A call that the assistant made earlier.",
        [
            new("id", new StringShape { MinLength = 1 }, "The call's id; a `tool` message answers it by this id.") { Required = true },
            new("type", new StringShape { Values = ["function"] }, "Always `function`.") { Required = true },
            new("function", new ObjectShape(
                "FunctionCallInput",
                "The called function.",
                [
                    new("name", new StringShape { MinLength = 1 }, "The function's name.") { Required = true },
                    new("arguments", new StringShape(), "Its arguments: the text of a JSON object; an empty text counts as `{}`.") { Required = true },
                ]),
                "The called function.")
            { Required = true },
            new("unknown_tool", new BooleanShape(), "Accepted so that an answer of this server can be sent back as it is; not shown to the model."),
        ])
    {
        Refused = new Dictionary<string, string> { ["custom"] = "Custom tools are not supported; use type `function`." },
    };

    private static readonly ObjectShape System = Message("SystemMessage", "Instructions.", ["system", "developer"]);

    private static readonly ObjectShape User = Message("UserMessage", "What the person says.", ["user"]);

    private static readonly ObjectShape Assistant = new(
        "AssistantMessage",
        "An earlier answer of the model. It needs `content` or `tool_calls`.",
        [
            Role(["assistant"]),
            new("content", Content, "The answer's text; may be null beside `tool_calls`."),
            new("tool_calls", new ArrayShape(ToolCallShape), "The calls it made, in order."),
            new("reasoning_content", new StringShape(), "Accepted so that an answer of this server can be sent back as it is; earlier reasoning is not shown to the model."),
            new("annotations", new ArrayShape(new AnyObjectShape(), 0, 0), "Accepted empty only, as OpenAI's clients send it back."),
        ])
    {
        Refused = new Dictionary<string, string>(RefusedOfMessage)
        {
            ["refusal"] = "The served model writes no refusals.",
            ["audio"] = NotThisModel,
            ["function_call"] = "It is deprecated; use `tool_calls`.",
        },
    };

    private static readonly ObjectShape Tool = new(
        "ToolMessage",
        "The result of a call.",
        [
            Role(["tool"]),
            new("content", Content, "The result.") { Required = true },
            new("tool_call_id", new StringShape(), "The id of the call that this answers; it must stand in an earlier assistant message.") { Required = true },
        ])
    { Refused = RefusedOfMessage };

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
            })
            {
                Refused = new Dictionary<string, string> { ["function"] = "It is deprecated; use the role `tool`." },
            },
            minItems: 1),
        "The conversation, oldest first.")
    { Required = true };

    /// <summary>The tools on offer.</summary>
    public static Field Tools { get; } = new(
        "tools",
        new ArrayShape(
            new ObjectShape(
                "ToolInput",
                "A tool that the model may call.",
                [
                    new("type", new StringShape { Values = ["function"] }, "Always `function`.") { Required = true },
                    new("function", new ObjectShape(
                        "FunctionInput",
                        "A function.",
                        [
                            new("name", new StringShape { Pattern = ToolName() }, "Letters, digits, `_`, `-` and (beyond OpenAI's rule) `.`; up to 64; no two tools may share it.") { Required = true },
                            new("description", new StringShape(), "What it does and when to call it; the model reads it."),
                            new("parameters", new AnyObjectShape(), "A JSON schema of its arguments; absent, null or `{}` for none. The model reads it as it stands."),
                            new("strict", new BooleanShape { Only = false, Reason = NeedsConstraints.TrimEnd('.') }, "Only false for now: arguments are not forced to fit the schema.") { Default = false },
                        ]),
                        "The function.")
                    { Required = true },
                ])
            {
                Refused = new Dictionary<string, string> { ["custom"] = "Custom tools are not supported; use type `function`." },
            },
            maxItems: 512),
        "The functions that the model may call.");

    /// <summary>The whole request.</summary>
    public static ObjectShape Shape { get; } = new(
        "ChatCompletionRequest",
        "A conversation to continue. Optional fields may be null, which is the same as absent; unknown fields are refused.",
        [
            CommonFields.Model,
            Messages,
            Tools,
            new("tool_choice", new UnionShape(new StringShape { Values = ["auto", "none", "required"] }, new AnyObjectShape()), "`auto` lets the model decide, `none` hides the tools from it. `required`, a named function and `allowed_tools` are refused for now: they need constrained decoding.") { Default = CommonFields.Text("auto") },
            new("parallel_tool_calls", new BooleanShape(), "Whether one answer may hold several calls. False is refused for now where tools are offered: it needs constrained decoding.") { Default = true },
            new("max_completion_tokens", new IntegerShape(1, int.MaxValue), "Most tokens to generate, reasoning included; absent: as many as the model's length leaves."),
            new("max_tokens", new IntegerShape(1, int.MaxValue), "The older name of `max_completion_tokens`; only one of them may be given."),
            CommonFields.N,
            .. CommonFields.Sampling,
            .. CommonFields.Ending,
            .. CommonFields.Streaming,
            new("logprobs", new BooleanShape(), "Whether to return the log-probability of every generated token of text, reasoning and call markup included.") { Default = false },
            new("top_logprobs", new IntegerShape(0, 20), "How many of the likeliest tokens to return at each place; needs `logprobs: true`."),
            new("response_format", new TaggedShape("type", new Dictionary<string, ObjectShape>
            {
                ["text"] = new("TextResponseFormat", "Plain text, the default.", [new("type", new StringShape { Values = ["text"] }, "Always `text`.") { Required = true }]),
            })
            {
                Refused = new Dictionary<string, string> { ["json_object"] = NeedsConstraints, ["json_schema"] = NeedsConstraints },
            },
            "Only `{\"type\": \"text\"}` for now."),
            new("modalities", new ArrayShape(new StringShape { Values = ["text"] }, 1, 1), "Only `[\"text\"]`."),
            new("metadata", new MapShape(new StringShape { MaxLength = 512 }, 16, 64), "Up to 16 pairs for the caller's own bookkeeping; answers are not stored, so it changes nothing."),
            CommonFields.User,
            new("safety_identifier", new StringShape(), "A stable id of the end user, for the caller's own bookkeeping; it changes nothing."),
            new("prompt_cache_key", new StringShape(), "A hint for routing; there is one server with one prefix cache, so it changes nothing."),
            new("service_tier", new StringShape { Values = ["auto", "default"] }, "There is one tier: `auto` and `default` both mean it.") { Default = CommonFields.Text("auto") },
            new("store", new BooleanShape { Only = false, Reason = "answers are not stored" }, "Only false: answers are not stored.") { Default = false },
        ])
    {
        Refused = new Dictionary<string, string>
        {
            ["audio"] = NotThisModel,
            ["function_call"] = "It is deprecated; use `tool_choice`.",
            ["functions"] = "It is deprecated; use `tools`.",
            ["moderation"] = "There is no moderation model.",
            ["prediction"] = "Predicted outputs are not supported.",
            ["prompt_cache_options"] = "The prefix cache has no options of a request.",
            ["prompt_cache_retention"] = "How long a prefix stays cached depends on memory only.",
            ["reasoning_effort"] = "The served model has no levels of reasoning effort.",
            ["verbosity"] = "The served model has no levels of verbosity.",
            ["web_search_options"] = "There is no web search.",
        },
    };

    private static ObjectShape Message(string name, string description, IReadOnlyList<string> roles) =>
        new(name, description, [Role(roles), new("content", Content, "A text, or text parts that are joined.") { Required = true }]) { Refused = RefusedOfMessage };

    private static Field Role(IReadOnlyList<string> roles) =>
        new("role", new StringShape { Values = roles }, roles.Count == 1 ? $"Always `{roles[0]}`." : "`developer` is the newer name of `system`.") { Required = true };

    [GeneratedRegex(@"\A[A-Za-z0-9_.-]{1,64}\z")]
    private static partial Regex ToolName();
}
