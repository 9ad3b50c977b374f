using System.Text;

namespace ToolN1.Engine.Chat;

/// <summary>Collects the parts of a prompt. Template parts are our own constants; everything else is content.</summary>
internal sealed class ChatPromptBuilder
{
    private readonly List<(string Text, bool IsTemplate)> _parts = [];

    // The run of one kind under way; gathered here, since a conversation may add to it a hundred thousand times.
    private readonly StringBuilder _run = new();
    private bool _runIsTemplate;

    /// <summary>Adds text of the template, in which control tokens count.</summary>
    public ChatPromptBuilder Template(string text) => Add(text, isTemplate: true);

    /// <summary>Adds text from outside, which is plain whatever it says.</summary>
    public ChatPromptBuilder Content(string text) => Add(text, isTemplate: false);

    /// <summary>The prompt so far.</summary>
    public ChatPrompt Build()
    {
        EndRun();
        return new ChatPrompt([.. _parts]);
    }

    private ChatPromptBuilder Add(string text, bool isTemplate)
    {
        if (text.Length > 0)
        {
            if (isTemplate != _runIsTemplate)
            {
                EndRun();
            }

            _runIsTemplate = isTemplate;
            _run.Append(text);
        }

        return this;
    }

    private void EndRun()
    {
        if (_run.Length > 0)
        {
            _parts.Add((_run.ToString(), _runIsTemplate));
            _run.Clear();
        }
    }
}
