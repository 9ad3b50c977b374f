using ToolN1.Api.Shapes;

namespace ToolN1.Api.Contracts.Responses;

/// <summary>What POST /v1/responses takes, field by field: the part of OpenAI's Responses API that needs no memory.</summary>
internal static class ResponseShape
{
    private static readonly Field Id = new("id", new StringShape(), "Accepted so that an output item can be sent back as it is.") { Effect = FieldEffect.None };

    private static readonly Field Status = new(
        "status", new StringShape { Values = ["completed", "incomplete", "in_progress"] }, "Accepted so that an output item can be sent back as it is.")
    { Effect = FieldEffect.None };

    private static readonly StringShape Summary = new() { Values = ["auto", "concise", "detailed"] };

    private static readonly ObjectShape InputText = Part("InputTextPart", "input_text", "A piece of a text.", "text", "The text. Control tokens in it are plain text to the model.");

    private static readonly ObjectShape OutputText = new(
        "OutputTextPart",
        "A piece of an earlier answer.",
        [
            Type("output_text"),
            new("text", new StringShape(), "The text.") { Required = true },
            new("annotations", new ArrayShape(new AnyObjectShape()), "Accepted so that an output item can be sent back as it is.") { Effect = FieldEffect.None },
            new("logprobs", new ArrayShape(new AnyObjectShape()), "Accepted so that an output item can be sent back as it is.") { Effect = FieldEffect.None },
        ]);

    private static readonly ObjectShape Refusal = Part("ResponseRefusalPart", "refusal", "What an assistant refused with.", "refusal", "The text; to the model it is the assistant's answer.");

    private static readonly Dictionary<string, string> RefusedParts = new()
    {
        ["input_image"] = Refusals.TextOnly,
        ["input_file"] = Refusals.TextOnly,
        ["input_audio"] = Refusals.TextOnly,
    };

    private static readonly ObjectShape MessageItem = new(
        "MessageItem",
        "A message.",
        [
            new("type", new StringShape { Values = ["message"] }, "`message`; may be absent.") { Default = CommonFields.Text("message") },
            new("role", new StringShape { Values = ["user", "assistant", "system", "developer"] }, "Who speaks; `developer` is the newer name of `system`.") { Required = true },
            new("content", new UnionShape(
                new StringShape(),
                new ArrayShape(
                    new TaggedShape("type", new Dictionary<string, ObjectShape> { ["input_text"] = InputText, ["output_text"] = OutputText, ["refusal"] = Refusal }) { Refused = RefusedParts },
                    1)),
                "A text, or text parts that are joined.")
            { Required = true },
            Id,
            Status,
        ]);

    private static readonly ObjectShape FunctionCallItem = new(
        "FunctionCallItem",
        "A call that the model made earlier.",
        [
            Type("function_call"),
            new("call_id", new StringShape { MinLength = 1 }, "The call's id; a `function_call_output` answers it by this id.") { Required = true },
            new("name", new StringShape { MinLength = 1 }, "The function's name.") { Required = true },
            new("arguments", new StringShape(), "Its arguments: the text of a JSON object; an empty text counts as `{}`.") { Required = true },
            Id,
            Status,
        ]);

    private static readonly ObjectShape FunctionOutputItem = new(
        "FunctionCallOutputItem",
        "The result of a call. Results may come in any order: they are matched by id.",
        [
            Type("function_call_output"),
            new("call_id", new StringShape(), "The id of the call that this answers.") { Required = true },
            new("output", new UnionShape(
                new StringShape(), new ArrayShape(new TaggedShape("type", new Dictionary<string, ObjectShape> { ["input_text"] = InputText }) { Refused = RefusedParts }, 1)),
                "The result: a text, or text parts that are joined.")
            { Required = true },
            Id,
            Status,
        ]);

    private static readonly ObjectShape ReasoningItem = new(
        "ReasoningItem",
        "Earlier reasoning of the model. Shown to it only with the server's option `ToolN1:Chat:KeepReasoning`.",
        [
            Type("reasoning"),
            new("content", new ArrayShape(Part("ReasoningTextPart", "reasoning_text", "A piece of reasoning.", "text", "The text.")), "The reasoning."),
            new("summary", new ArrayShape(new AnyObjectShape()), "Accepted so that an output item can be sent back as it is.") { Effect = FieldEffect.None },
            Id,
            Status,
        ])
    {
        Refused = new Dictionary<string, string> { ["encrypted_content"] = "This server encrypts no reasoning and cannot read what another did." },
    };

    private static readonly IReadOnlyDictionary<string, string> OtherTools = new[]
    {
        "web_search", "web_search_preview", "file_search", "code_interpreter", "computer", "computer_use_preview", "image_generation", "mcp", "local_shell", "shell", "apply_patch",
    }.ToDictionary(name => name, _ => "This server runs no tools of its own; use type `function`.").Append(new("custom", ToolShapes.NoCustomTools)).ToDictionary();

    /// <summary>The whole request.</summary>
    public static ObjectShape Shape { get; } = new(
        "ResponseRequest",
        "A conversation to continue, in OpenAI's Responses API. Optional fields may be null, which is the same as absent; unknown fields are refused.",
        [
            CommonFields.Model,
            new("input", new UnionShape(
                new StringShape(),
                new ArrayShape(
                    new TaggedShape("type", new Dictionary<string, ObjectShape>
                    {
                        ["message"] = MessageItem,
                        ["function_call"] = FunctionCallItem,
                        ["function_call_output"] = FunctionOutputItem,
                        ["reasoning"] = ReasoningItem,
                    })
                    {
                        DefaultTag = "message",
                        Refused = new Dictionary<string, string> { ["item_reference"] = Refusals.Stateless },
                    },
                    1)),
                "A user's text, or the items of the conversation, oldest first.")
            { Required = true },
            new("instructions", new StringShape(), "The system text; it stands before the input."),
            new("tools", new ArrayShape(
                new TaggedShape("type", new Dictionary<string, ObjectShape>
                {
                    ["function"] = new(
                        "ResponseToolInput",
                        "A function that the model may call.",
                        [
                            Type("function"),
                            .. ToolShapes.FunctionFields,
                            ToolShapes.Strict with
                            {
                                Description = "True: the arguments of every call follow `parameters`, whatever the model; a schema that cannot be enforced is refused. Absent: true where the schema can be enforced, else false.",
                                Default = null,
                            },
                        ]),
                })
                { Refused = OtherTools },
                maxItems: ToolShapes.MaxTools),
                "The functions that the model may call."),
            new("tool_choice", new UnionShape(
                new StringShape { Values = ["auto", "none", "required"] },
                new TaggedShape("type", new Dictionary<string, ObjectShape>
                {
                    ["function"] = Reference("ResponseNamedToolChoice", "This function must be called."),
                    ["allowed_tools"] = new(
                        "ResponseAllowedToolsChoice",
                        "Only some of the tools may be called; the model still sees all.",
                        [
                            Type("allowed_tools"),
                            new("mode", new StringShape { Values = ["auto", "required"] }, "`auto` lets the model decide, `required` demands a call.") { Required = true },
                            new("tools", new ArrayShape(Reference("ResponseAllowedTool", "A function of `tools`."), 1, ToolShapes.MaxTools), "The allowed ones.") { Required = true },
                        ]),
                })
                { Refused = OtherTools }),
                "`auto` lets the model decide; `none` hides the tools from it; `required` demands a call; an object names the function to call, or those allowed.")
            { Default = CommonFields.Text("auto") },
            ToolShapes.ParallelToolCalls,
            new("text", new ObjectShape(
                "ResponseText",
                "What the answer's text has to be.",
                [
                    new("format", new TaggedShape("type", new Dictionary<string, ObjectShape>
                    {
                        ["text"] = ResponseFormatShapes.Text,
                        ["json_object"] = ResponseFormatShapes.JsonObject,
                        ["json_schema"] = new("ResponseJsonSchemaFormat", "One JSON value that follows a schema.", [ResponseFormatShapes.Type("json_schema"), .. ResponseFormatShapes.SchemaFields]),
                    }), "The format; enforced while the model writes."),
                    CommonFields.Verbosity,
                ]),
                "What the answer's text has to be."),
            new("reasoning", new ObjectShape(
                "ResponseReasoning",
                "How the model thinks.",
                [
                    new("effort", CommonFields.ReasoningEffort, "How many tokens the model may think, as `reasoning_effort` of a chat completion. Absent: the model decides."),
                    new("summary", Summary, "Sends the reasoning as `summary` too, where clients look that read summaries only. It is the whole reasoning, at every level."),
                    new("generate_summary", Summary, "The older name of `summary`."),
                ]),
            "How the model thinks."),
            new("max_output_tokens", new IntegerShape(1, int.MaxValue), "Most tokens to generate, reasoning included; absent: as many as the model's length leaves."),
            .. CommonFields.Sampling,
            new("stream", new BooleanShape(), "True sends server-sent events by name, the last of which is `response.completed`, `response.incomplete` or `response.failed`.") { Default = false },
            new("stream_options", new ObjectShape(
                "ResponseStreamOptions",
                "Options of a streamed answer; only with `stream: true`.",
                [new("include_obfuscation", new BooleanShape { Only = false, Reason = "events are not padded with random characters" }, "Only false: events are never padded.") { Default = false, Effect = FieldEffect.None }]),
                "Options of a streamed answer; only with `stream: true`."),
            new("include", new ArrayShape(new StringShape { Values = ["reasoning.encrypted_content"] }), "Only `reasoning.encrypted_content`, which is not needed: the reasoning comes as it is and can be sent back.") { Effect = FieldEffect.None },
            CommonFields.CacheSalt,
            .. CommonFields.Bookkeeping,
            CommonFields.Store,
            new("background", new BooleanShape { Only = false, Reason = "answers are not stored, so none can be asked for later" }, "Only false: an answer comes as it is made.") { Default = false, Effect = FieldEffect.None },
            new("truncation", new StringShape { Values = ["disabled"] }, "Only `disabled`: a conversation that is too long is refused, never cut.") { Default = CommonFields.Text("disabled"), Effect = FieldEffect.None },
        ])
    {
        Refused = new Dictionary<string, string>
        {
            ["previous_response_id"] = Refusals.Stateless,
            ["conversation"] = Refusals.Stateless,
            ["prompt"] = "There are no stored prompts: send the text.",
            ["context_management"] = Refusals.Stateless,
            ["max_tool_calls"] = "This server runs no tools of its own.",
            ["moderation"] = "There is no moderation model.",
            ["prompt_cache_options"] = "The prefix cache has no options of a request.",
            ["prompt_cache_retention"] = "How long a prefix stays cached depends on memory only.",
            ["top_logprobs"] = "Log-probabilities come with /v1/chat/completions.",
        },
    };

    private static Field Type(string value) => new("type", new StringShape { Values = [value] }, $"Always `{value}`.") { Required = true };

    private static ObjectShape Part(string name, string type, string description, string field, string meaning) =>
        new(name, description, [Type(type), new(field, new StringShape(), meaning) { Required = true }]);

    private static ObjectShape Reference(string name, string description) =>
        new(name, description, [Type("function"), new("name", new StringShape { MinLength = 1 }, "Its name.") { Required = true }]);
}
