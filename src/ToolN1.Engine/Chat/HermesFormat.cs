namespace ToolN1.Engine.Chat;

/// <summary>Qwen2.5's own tool style: one JSON object per tool_call tag. Byte-equal to its chat template.</summary>
/// <remarks>Source: chat_template of Qwen/Qwen2.5-7B-Instruct (Apache-2.0).</remarks>
internal sealed class HermesFormat(TurnMarkup markup) : ChatFormatBase("hermes", markup, endsTurnAtFirstBlock: false)
{
    private const string DefaultSystem = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.";

    private const string BeforeTools =
        "\n\n# Tools\n\nYou may call one or more functions to assist with the user query.\n\n" +
        "You are provided with function signatures within <tools></tools> XML tags:\n<tools>";

    private const string AfterTools =
        "\n</tools>\n\nFor each function call, return a json object with function name and arguments within " +
        "<tool_call></tool_call> XML tags:\n<tool_call>\n{\"name\": <function-name>, \"arguments\": <args-json-object>}\n</tool_call>";

    /// <inheritdoc/>
    public override string ToJinja() => JinjaTemplate.Build(
        Markup,
        tools: $$$"""
                {{- {{{JinjaTemplate.Quote(DefaultSystem)}}} if system is none else system }}
                {{- {{{JinjaTemplate.Quote(BeforeTools)}}} }}
                {%- for tool in tools %}
                    {{- '\n{"type": "function", "function": ' }}
                    {{- tool.function | tojson }}
                    {{- '}' }}
                {%- endfor %}
                {{- {{{JinjaTemplate.Quote(AfterTools)}}} }}
            """,
        calls: """
                    {{- said }}
                    {%- for call in message.tool_calls %}
                        {{- ('' if loop.first and not said else '\n') + '<tool_call>\n{"name": "' + call.function.name + '", "arguments": ' }}
                        {{- call.function.arguments if call.function.arguments is string else call.function.arguments | tojson }}
                        {{- '}\n</tool_call>' }}
                    {%- endfor %}
            """);

    /// <inheritdoc/>
    protected override void AddSystemWithTools(ChatPromptBuilder prompt, string? system, IReadOnlyList<ChatTool> tools)
    {
        _ = system is null ? prompt.Template(DefaultSystem) : prompt.Content(system);
        prompt.Template(BeforeTools);
        for (int i = 0; i < tools.Count; i++)
        {
            prompt.Template("\n{\"type\": \"function\", \"function\": ").Content(FunctionJson(tools[i], i, ensureAscii: false)).Template("}");
        }

        prompt.Template(AfterTools);
    }

    /// <inheritdoc/>
    protected override void AddCalls(ChatPromptBuilder prompt, ChatMessage message, int index)
    {
        string text = Text(message);
        prompt.Content(text);
        for (int i = 0; i < message.ToolCalls.Count; i++)
        {
            ToolCall call = message.ToolCalls[i];
            string arguments = Arguments(call, index, i, json => PythonJson.Dumps(json, ensureAscii: false));
            prompt.Template(i == 0 && text.Length == 0 ? "" : "\n")
                .Template("<tool_call>\n{\"name\": \"").Content(call.Name)
                .Template("\", \"arguments\": ").Content(arguments).Template("}\n</tool_call>");
        }
    }
}
