using System.Text;

namespace ToolN1.Engine.Chat;

/// <summary>
/// Cuts a text before the stop text that is complete first (the longest of those that are complete at once), wherever its
/// pieces lie; holds back only what may begin one.
/// </summary>
public sealed class StopTextMatcher(IReadOnlyList<string> stops)
{
    private readonly StringBuilder _held = new();

    /// <summary>A stop text was met; nothing more is let through.</summary>
    public bool Stopped { get; private set; }

    /// <summary>Takes more text and returns what is certain: not part of a stop text.</summary>
    public string Append(string text)
    {
        if (Stopped)
        {
            return "";
        }

        _held.Append(text);
        string held = _held.ToString();
        (int End, int Start)[] met = [.. stops.Select(stop => (stop, at: held.IndexOf(stop, StringComparison.Ordinal))).Where(found => found.at >= 0).Select(found => (found.at + found.stop.Length, found.at))];
        Stopped = met.Length > 0;

        // The one that ends first, and not the one that begins first: else a token of several characters would be cut elsewhere
        // than the same characters one by one.
        int release = Stopped ? met.Min().Start : held.Length - LongestBeginning(held);
        _held.Clear().Append(held, release, Stopped ? 0 : held.Length - release);
        return held[..release];
    }

    /// <summary>What was held back and turned out to be no stop text.</summary>
    public string Flush()
    {
        string held = _held.ToString();
        _held.Clear();
        return held;
    }

    private int LongestBeginning(string held)
    {
        int longest = 0;
        foreach (string stop in stops)
        {
            for (int length = Math.Min(stop.Length - 1, held.Length); length > longest; length--)
            {
                if (string.CompareOrdinal(held, held.Length - length, stop, 0, length) == 0)
                {
                    longest = length;
                }
            }
        }

        return longest;
    }
}
