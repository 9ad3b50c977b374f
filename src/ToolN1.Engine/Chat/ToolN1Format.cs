namespace ToolN1.Engine.Chat;

/// <summary>
/// Tool-N1's style: the catalogue and three rules in the system turn, and all calls of a turn in one list,
/// <c>&lt;think&gt;…&lt;/think&gt;&lt;tool_call&gt;[{"name": …, "arguments": {…}}, …]&lt;/tool_call&gt;</c>.
/// </summary>
/// <remarks>
/// Nemotron-Research-Tool-N1, arXiv:2505.00024, and its data preparation (NVlabs/Tool-N1). A client's system text takes
/// the place of the published head, as a row's own system text does there. Past calls are written in the form that the
/// model itself produces; the published preparation writes them JSON-encoded twice and without tags, which
/// <see cref="PromptRowRenderer"/> reproduces for comparison.
/// </remarks>
internal sealed class ToolN1Format(TurnMarkup markup) : ChatFormatBase("tool-n1", markup, endsTurnAtFirstBlock: true)
{
    /// <summary>Renders a row of Tool-N1's preparation: its system text as it is, then the section even without tools.</summary>
    public ChatPrompt RenderRaw(string system, IReadOnlyList<ChatMessage> messages, IReadOnlyList<ChatTool> tools)
    {
        ChatPromptBuilder prompt = new();
        prompt.Template(Markup.Start + Markup.Open("system")).Content(system);
        AddToolSection(prompt, tools);
        prompt.Template(Markup.End);
        AddTurns(prompt, messages, first: 0);
        return prompt.Template(Markup.Open("assistant")).Build();
    }

    /// <inheritdoc/>
    public override string ToJinja() => JinjaTemplate.Build(
        Markup,
        tools: $$$"""
                {%- if system is none %}
                    {{- {{{JinjaTemplate.Quote(ToolN1Texts.Head)}}} }}
                {%- else %}
                    {{- system + ('\n' if system and not system.endswith('\n') else '') }}
                {%- endif %}
                {{- {{{JinjaTemplate.Quote(ToolN1Texts.BeforeTools)}}} }}
                {%- for tool in tools %}
                    {{- ('' if loop.first else '\n') + '{"type": "function", "function": ' }}
                    {{- tool.function | tojson(ensure_ascii=True) }}
                    {{- '}' }}
                {%- endfor %}
                {{- {{{JinjaTemplate.Quote(Markup.TrimsText ? ToolN1Texts.AfterTools.TrimEnd() : ToolN1Texts.AfterTools)}}} }}
            """,
        calls: """
                    {{- said + ('\n' if said else '') + '<tool_call>[' }}
                    {%- for call in message.tool_calls %}
                        {{- ('' if loop.first else ', ') + '{"name": ' }}
                        {{- call.function.name | tojson(ensure_ascii=True) }}
                        {{- ', "arguments": ' }}
                        {{- call.function.arguments if call.function.arguments is string else call.function.arguments | tojson }}
                        {{- '}' }}
                    {%- endfor %}
                    {{- ']</tool_call>' }}
            """);

    /// <inheritdoc/>
    protected override void AddSystemWithTools(ChatPromptBuilder prompt, string? system, IReadOnlyList<ChatTool> tools)
    {
        if (system is null)
        {
            prompt.Template(ToolN1Texts.Head);
        }
        else
        {
            prompt.Content(system).Template(system.Length == 0 || system.EndsWith('\n') ? "" : "\n");
        }

        AddToolSection(prompt, tools, Markup.TrimsText);
    }

    /// <summary>Adds everything of the system turn that follows the head.</summary>
    public static void AddToolSection(ChatPromptBuilder prompt, IReadOnlyList<ChatTool> tools, bool trims = false)
    {
        prompt.Template(ToolN1Texts.BeforeTools);
        for (int i = 0; i < tools.Count; i++)
        {
            prompt.Template((i == 0 ? "" : "\n") + "{\"type\": \"function\", \"function\": ")
                .Content(FunctionJson(tools[i], i, ensureAscii: true)).Template("}");
        }

        prompt.Template(trims ? ToolN1Texts.AfterTools.TrimEnd() : ToolN1Texts.AfterTools);
    }

    /// <inheritdoc/>
    protected override void AddCalls(ChatPromptBuilder prompt, ChatMessage message, int index)
    {
        string text = Text(message);
        prompt.Content(text).Template(text.Length == 0 ? "<tool_call>[" : "\n<tool_call>[");
        for (int i = 0; i < message.ToolCalls.Count; i++)
        {
            ToolCall call = message.ToolCalls[i];
            prompt.Template((i == 0 ? "" : ", ") + "{\"name\": ").Content(PythonJson.Quote(call.Name, ensureAscii: true))
                .Template(", \"arguments\": ").Content(Arguments(call, index, i, PythonJson.Respace)).Template("}");
        }

        prompt.Template("]</tool_call>");
    }
}
