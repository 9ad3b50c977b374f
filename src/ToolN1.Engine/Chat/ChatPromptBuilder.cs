namespace ToolN1.Engine.Chat;

/// <summary>Collects the parts of a prompt. Template parts are our own constants; everything else is content.</summary>
internal sealed class ChatPromptBuilder
{
    private readonly List<(string Text, bool IsTemplate)> _parts = [];

    /// <summary>Adds text of the template, in which control tokens count.</summary>
    public ChatPromptBuilder Template(string text) => Add(text, isTemplate: true);

    /// <summary>Adds text from outside, which is plain whatever it says.</summary>
    public ChatPromptBuilder Content(string text) => Add(text, isTemplate: false);

    /// <summary>The prompt so far.</summary>
    public ChatPrompt Build() => new([.. _parts]);

    private ChatPromptBuilder Add(string text, bool isTemplate)
    {
        if (text.Length == 0)
        {
            return this;
        }

        if (_parts.Count > 0 && _parts[^1].IsTemplate == isTemplate)
        {
            _parts[^1] = (_parts[^1].Text + text, isTemplate);
        }
        else
        {
            _parts.Add((text, isTemplate));
        }

        return this;
    }
}
