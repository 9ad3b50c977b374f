using CsCheck;
using ToolN1.Engine.Chat;

namespace ToolN1.Engine.Tests.Chat;

public sealed class StopTextMatcherTests
{
    [Theory]
    [InlineData("abc", "abc|b", "a")]
    [InlineData("xabcd", "abcd|abc", "x")]
    [InlineData("xbcd", "c|bc", "x")]
    [InlineData("xbcd", "d|c", "xb")]
    [InlineData("line\n\nnext", "\n\n|\n", "line")]
    [InlineData("aab", "ab", "a")]
    [InlineData("né😀!", "😀", "né")]
    [InlineData("ab", "abc|bc", "ab")]
    [InlineData("nothing", "STOP", "nothing")]
    public void Append_InOnePieceOrManyPieces_CutsBeforeTheStopTextThatIsCompleteFirst(string text, string stops, string expected)
    {
        Assert.Equal(expected, Read(stops.Split('|'), [text]));
        Assert.Equal(expected, Read(stops.Split('|'), text.Select(character => character.ToString())));
    }

    [Fact]
    public void Append_AnyChunkingOfAnyText_EqualsTheWholeAndHoldsNoStopText() =>
        Gen.Select(Gen.Char["abc"].Array[0, 24], Gen.Char["abc"].Array[1, 4].Array[0, 4], Gen.Int[0, 4].Array[0, 24]).Sample(
            (characters, stopCharacters, sizes) =>
            {
                string text = new(characters);
                string[] stops = [.. stopCharacters.Select(stop => new string(stop))];
                string whole = Read(stops, [text]);
                Assert.Equal(whole, Read(stops, Chunks(text, sizes)));
                Assert.All(stops, stop => Assert.DoesNotContain(stop, whole, StringComparison.Ordinal));
                Assert.StartsWith(whole, text, StringComparison.Ordinal);
                Assert.Equal(whole.Length < text.Length, stops.Any(stop => text.Contains(stop, StringComparison.Ordinal)));
            },
            iter: 10_000);

    private static string Read(IReadOnlyList<string> stops, IEnumerable<string> pieces)
    {
        StopTextMatcher matcher = new(stops);
        string read = string.Concat(pieces.Select(matcher.Append));
        return matcher.Stopped ? read : read + matcher.Flush();
    }

    private static IEnumerable<string> Chunks(string text, int[] sizes)
    {
        int at = 0;
        foreach (int size in sizes)
        {
            int length = Math.Min(size, text.Length - at);
            yield return text.Substring(at, length);
            at += length;
        }

        yield return text[at..];
    }
}
