using ToolN1.Engine.Tokenization;

namespace ToolN1.Engine.Chat;

/// <summary>
/// A rendered conversation that still knows which of its text is the template's and which came from outside (messages,
/// tool names and descriptions, arguments). Control tokens are made from the template's text only: whatever a message
/// says, it stays plain text to the model.
/// </summary>
public sealed class ChatPrompt
{
    private readonly IReadOnlyList<(string Text, bool IsTemplate)> _parts;

    /// <summary>Wraps parts; only text that the program itself wrote may be marked as template.</summary>
    public ChatPrompt(IReadOnlyList<(string Text, bool IsTemplate)> parts) => _parts = parts;

    /// <summary>The whole as text, for people and for tests; encoding it would lose the distinction.</summary>
    public string Text => string.Concat(_parts.Select(part => part.Text));

    /// <summary>
    /// The ids. Plain runs of template and content that touch are encoded together, so that on content without control
    /// text the ids are those that Hugging Face gives for <see cref="Text"/>.
    /// </summary>
    public int[] Encode(Tokenizer tokenizer)
    {
        List<int> ids = [];
        List<string> plain = [];
        void EncodePlain()
        {
            ids.AddRange(tokenizer.Encode(string.Concat(plain)));
            plain.Clear();
        }

        foreach ((string text, bool isTemplate) in _parts)
        {
            if (!isTemplate)
            {
                plain.Add(text);
                continue;
            }

            foreach ((string run, int? added) in tokenizer.SplitAddedTokens(text))
            {
                if (added is int id)
                {
                    EncodePlain();
                    ids.Add(id);
                }
                else
                {
                    plain.Add(run);
                }
            }
        }

        EncodePlain();
        return [.. ids];
    }
}
