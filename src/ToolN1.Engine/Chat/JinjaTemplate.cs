using System.Text;

namespace ToolN1.Engine.Chat;

/// <summary>
/// A chat format as a Jinja template, the form in which Hugging Face's tools find it in tokenizer_config.json. It renders
/// the text of <see cref="IChatFormat.Render"/>; what Jinja cannot say is that content never becomes control tokens.
/// </summary>
internal static class JinjaTemplate
{
    /// <summary>The walk over the turns, with what the format adds.</summary>
    /// <param name="markup">How turns are marked.</param>
    /// <param name="tools">Statements that write the system turn's text where <c>tools</c> are offered; <c>system</c> is the client's text or none.</param>
    /// <param name="calls">Statements that write the text of an assistant's turn with calls; <c>said</c> is its content.</param>
    public static string Build(TurnMarkup markup, string tools, string calls)
    {
        string trim = markup.TrimsText ? " | trim" : "";
        string systemOpen = Quote(markup.Open("system")), end = Quote(markup.End), assistantOpen = Quote(markup.Open("assistant"));
        string toolOpen = Quote(markup.Open(markup.ToolRole));
        string noSystem = markup.DefaultSystem is null ? "" : $$$"""

            {%- else %}
                {{- {{{systemOpen}}} + {{{Quote(markup.DefaultSystem)}}} + {{{end}}} }}
            """;
        string toolTurn = markup.JoinsToolResults
            ? $$$"""
                    {{- '\n' if not loop.first and turns[loop.index0 - 1].role == 'tool' else {{{toolOpen}}} }}
                    {{- '<tool_response>\n' + said + '\n</tool_response>' }}
                    {{- '' if not loop.last and turns[loop.index0 + 1].role == 'tool' else {{{end}}} }}
            """
            : $$$"""
                    {{- {{{toolOpen}}} + said + {{{end}}} }}
            """;
        return $$$"""
            {%- macro text(content) %}
                {%- if content is string %}
                    {{- content }}
                {%- elif content %}
                    {%- for part in content %}
                        {{- part.text }}
                    {%- endfor %}
                {%- endif %}
            {%- endmacro %}
            {{- {{{Quote(markup.Start)}}} }}
            {%- if messages[0].role in ['system', 'developer'] %}
                {%- set system = text(messages[0].content){{{trim}}} %}
                {%- set turns = messages[1:] %}
            {%- else %}
                {%- set system = none %}
                {%- set turns = messages %}
            {%- endif %}
            {%- if tools %}
                {{- {{{systemOpen}}} }}
            {{{tools}}}
                {{- {{{end}}} }}
            {%- elif system is not none %}
                {{- {{{systemOpen}}} + system + {{{end}}} }}{{{noSystem}}}
            {%- endif %}
            {%- for message in turns %}
                {%- set said = text(message.content){{{trim}}} %}
                {%- if message.role == 'tool' %}
            {{{toolTurn}}}
                {%- elif message.role == 'assistant' and message.tool_calls %}
                    {{- {{{assistantOpen}}} }}
            {{{calls}}}
                    {{- {{{end}}} }}
                {%- else %}
                    {{- {{{Quote(markup.BeforeRole)}}} + ('system' if message.role == 'developer' else message.role) + {{{Quote(markup.AfterRole)}}} + said + {{{end}}} }}
                {%- endif %}
            {%- endfor %}
            {%- if add_generation_prompt %}
                {{- {{{assistantOpen}}} }}
            {%- endif %}
            """;
    }

    /// <summary>Text as a Jinja string literal.</summary>
    public static string Quote(string text)
    {
        StringBuilder literal = new("'");
        foreach (char character in text)
        {
            _ = character switch
            {
                '\\' => literal.Append("\\\\"),
                '\'' => literal.Append("\\'"),
                '\n' => literal.Append("\\n"),
                _ => literal.Append(character),
            };
        }

        return literal.Append('\'').ToString();
    }
}
