using ToolN1.Engine.Constraints;

namespace ToolN1.Engine.Chat;

/// <summary>What the formats share: the walk over the turns.</summary>
internal abstract class ChatFormatBase(string name, TurnMarkup markup, bool endsTurnAtFirstBlock) : IChatFormat
{
    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public IReadOnlyList<string> StopTokens => markup.StopTokens;

    /// <inheritdoc/>
    AnswerMarkup IChatFormat.Markup => endsTurnAtFirstBlock ? AnswerMarkup.List : AnswerMarkup.Blocks;

    /// <summary>The turn markup.</summary>
    protected TurnMarkup Markup => markup;

    /// <inheritdoc/>
    public ChatPrompt Render(IReadOnlyList<ChatMessage> messages, IReadOnlyList<ChatTool> tools, bool addGenerationPrompt)
    {
        if (messages.Count == 0)
        {
            throw new ArgumentException("A conversation needs at least one message.", nameof(messages));
        }

        ChatPromptBuilder prompt = new();
        prompt.Template(markup.Start);
        int first = messages[0].Role == ChatRole.System ? 1 : 0;
        string? system = first == 1 ? Text(messages[0]) : null;
        if (tools.Count > 0)
        {
            prompt.Template(markup.Open("system"));
            AddSystemWithTools(prompt, system, tools);
            prompt.Template(markup.End);
        }
        else if ((system ?? markup.DefaultSystem) is { } text)
        {
            prompt.Template(markup.Open("system"));
            _ = system is null ? prompt.Template(text) : prompt.Content(text);
            prompt.Template(markup.End);
        }

        AddTurns(prompt, messages, first);
        return addGenerationPrompt ? prompt.Template(markup.Open("assistant")).Build() : prompt.Build();
    }

    /// <inheritdoc/>
    public ChatOutputParser CreateParser(IReadOnlyList<ChatTool>? tools, bool contentIsJson = false) => new(endsTurnAtFirstBlock, tools, contentIsJson);

    /// <summary>A message's text as it is written, its speaker's name before it.</summary>
    protected string Text(ChatMessage message)
    {
        string text = markup.Text(message.Content);
        return message.Name is null || text.Length == 0 ? text : $"{message.Name}: {text}";
    }

    /// <inheritdoc/>
    public abstract string ToJinja();

    /// <summary>The function object's JSON as this format prints it.</summary>
    protected static string FunctionJson(ChatTool tool, int index, bool ensureAscii)
    {
        try
        {
            return PythonJson.Dumps(tool.FunctionJson, ensureAscii);
        }
        catch (FormatException exception)
        {
            throw new ArgumentException($"tools[{index}].function ('{tool.Name}') is {exception.Message}.", exception);
        }
    }

    /// <summary>A past call's arguments as JSON; an empty string counts as no arguments.</summary>
    protected static string Arguments(ToolCall call, int message, int index, Func<string, string> write)
    {
        try
        {
            return string.IsNullOrWhiteSpace(call.Arguments) ? "{}" : write(call.Arguments);
        }
        catch (FormatException exception)
        {
            throw new ArgumentException($"messages[{message}].tool_calls[{index}].function.arguments is {exception.Message}.", exception);
        }
    }

    /// <summary>Adds the text of the system turn: the client's system text, the catalogue, how to call.</summary>
    protected abstract void AddSystemWithTools(ChatPromptBuilder prompt, string? system, IReadOnlyList<ChatTool> tools);

    /// <summary>Adds the text of an assistant's turn that called tools.</summary>
    protected abstract void AddCalls(ChatPromptBuilder prompt, ChatMessage message, int index);

    /// <summary>Adds the turns from the given one on.</summary>
    protected void AddTurns(ChatPromptBuilder prompt, IReadOnlyList<ChatMessage> messages, int first)
    {
        for (int i = first; i < messages.Count; i++)
        {
            ChatMessage message = messages[i];
            if (message.Role == ChatRole.Tool && markup.JoinsToolResults)
            {
                bool continues = i > first && messages[i - 1].Role == ChatRole.Tool;
                bool goesOn = i + 1 < messages.Count && messages[i + 1].Role == ChatRole.Tool;
                prompt.Template(continues ? "\n" : markup.Open(markup.ToolRole))
                    .Template("<tool_response>\n").Content(markup.Text(message.Content)).Template("\n</tool_response>")
                    .Template(goesOn ? "" : markup.End);
                continue;
            }

            prompt.Template(markup.Open(message.Role switch
            {
                ChatRole.System => "system",
                ChatRole.User => "user",
                ChatRole.Assistant => "assistant",
                _ => markup.ToolRole,
            }));
            if (message.Reasoning is not null)
            {
                prompt.Template("<think>").Content(message.Reasoning).Template("</think>");
            }

            if (message.Role == ChatRole.Assistant && message.ToolCalls.Count > 0)
            {
                AddCalls(prompt, message, i);
            }
            else
            {
                prompt.Content(Text(message));
            }

            prompt.Template(markup.End);
        }
    }
}
