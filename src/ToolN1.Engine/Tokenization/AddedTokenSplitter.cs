using System.Buffers;

namespace ToolN1.Engine.Tokenization;

/// <summary>Finds added tokens in a text: leftmost first, longest among those that begin at the same place.</summary>
internal sealed class AddedTokenSplitter
{
    private readonly (string Content, int Id)[] _tokens;
    private readonly SearchValues<string>? _search;

    /// <summary>Prepares the search.</summary>
    public AddedTokenSplitter(IEnumerable<(string Content, int Id)> tokens)
    {
        _tokens = [.. tokens.OrderByDescending(token => token.Content.Length)];
        _search = _tokens.Length == 0 ? null : SearchValues.Create([.. _tokens.Select(token => token.Content)], StringComparison.Ordinal);
    }

    /// <summary>The text as runs without and with an added token's id; no run is empty.</summary>
    public IEnumerable<(string Run, int? AddedId)> Split(string text)
    {
        int done = 0;
        while (done < text.Length)
        {
            int found = _search is null ? -1 : text.AsSpan(done).IndexOfAny(_search);
            if (found < 0)
            {
                yield return (done == 0 ? text : text[done..], null);
                yield break;
            }

            if (found > 0)
            {
                yield return (text.Substring(done, found), null);
            }

            int start = done + found;
            (string content, int id) = Array.Find(_tokens, token => string.CompareOrdinal(text, start, token.Content, 0, token.Content.Length) == 0);
            yield return (content, id);
            done = start + content.Length;
        }
    }
}
