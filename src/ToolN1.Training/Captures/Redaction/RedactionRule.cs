using System.Globalization;
using System.Text.RegularExpressions;

namespace ToolN1.Training.Captures.Redaction;

/// <summary>One kind of thing that is taken out of captures.</summary>
/// <param name="Name">Its name, by which it is counted.</param>
/// <param name="Pattern">Matches in linear time. A group <c>value</c>, where there is one, is what is taken out.</param>
/// <param name="Replacement">What stands in its place, <c>{n}</c> numbering the values of a capture.</param>
/// <param name="Accepts">Whether a match is what it looks like; null for every one.</param>
internal sealed record RedactionRule(string Name, Regex Pattern, string Replacement, Func<string, bool>? Accepts = null)
{
    /// <summary>The text in place of the value number <paramref name="number"/>.</summary>
    public string Placeholder(int number) => Replacement.Replace("{n}", number.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);

    /// <summary>The values in a text, in order: where they stand and how long they are.</summary>
    public IEnumerable<(int Index, int Length)> Find(string text)
    {
        for (Match match = Pattern.Match(text); match.Success; match = match.NextMatch())
        {
            Group value = match.Groups["value"] is { Success: true } named ? named : match;
            if (value.Length > 0 && Accepts?.Invoke(value.Value) != false)
            {
                yield return (value.Index, value.Length);
            }
        }
    }

    /// <summary>A pattern that matches in linear time, whatever the text.</summary>
    /// <exception cref="ArgumentException">It is no pattern.</exception>
    /// <exception cref="NotSupportedException">It has look-around, back-references or the like.</exception>
    public static Regex Linear(string pattern) => new(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
}
