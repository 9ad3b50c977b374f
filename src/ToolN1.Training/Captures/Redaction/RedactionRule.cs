using System.Globalization;
using System.Text.RegularExpressions;

namespace ToolN1.Training.Captures.Redaction;

/// <summary>One kind of thing that is taken out of captures.</summary>
/// <param name="Name">Its name, by which it is counted.</param>
/// <param name="Pattern">Matches in linear time. A group <c>value</c>, where there is one, is what is taken out.</param>
/// <param name="Replacement">What stands in its place, <c>{n}</c> numbering the values of a capture.</param>
/// <param name="Accepted">How many characters of a value, from its beginning, are what it looks like: 0 for none; null for all of every one.</param>
internal sealed record RedactionRule(string Name, Regex Pattern, string Replacement, Func<string, int>? Accepted = null)
{
    /// <summary>The text in place of the value number <paramref name="number"/>.</summary>
    public string Placeholder(int number) => Replacement.Replace("{n}", number.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);

    /// <summary>The values in a text, in order: where they stand and how long they are.</summary>
    public IEnumerable<(int Index, int Length)> Find(string text)
    {
        Match match = Pattern.Match(text);
        while (match.Success)
        {
            Group value = match.Groups["value"] is { Success: true } named ? named : match;
            int length = value.Length == 0 ? 0 : Accepted?.Invoke(value.Value) ?? value.Length;
            if (length > 0)
            {
                yield return (value.Index, length);
            }

            // What is behind a value may begin another.
            match = length > 0 && length < value.Length ? Pattern.Match(text, value.Index + length) : match.NextMatch();
        }
    }

    /// <summary>A pattern that matches in linear time, whatever the text.</summary>
    /// <exception cref="ArgumentException">It is no pattern.</exception>
    /// <exception cref="NotSupportedException">It has look-around, back-references or the like.</exception>
    public static Regex Linear(string pattern) => new(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
}
