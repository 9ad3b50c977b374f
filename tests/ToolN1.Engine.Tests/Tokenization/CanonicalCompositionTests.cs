using ToolN1.Engine.Tokenization;

namespace ToolN1.Engine.Tests.Tokenization;

public sealed class CanonicalCompositionTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("e\u0301", "\u00E9")]
    [InlineData("\u212B", "\u00C5")] // a singleton
    [InlineData("\u0958", "\u0915\u093C")] // a composition exclusion
    [InlineData("\u1100\u1161\u11A8", "\uAC01")] // Hangul from its letters
    [InlineData("\uAC00\u11A8", "\uAC01")]
    [InlineData("q\u0307\u0323", "q\u0323\u0307")] // marks in canonical order
    [InlineData("\u1E9B\u0323", "\u1E9B\u0323")]
    [InlineData("D\u0323\u0307", "\u1E0C\u0307")]
    [InlineData("\u0344", "\u0308\u0301")]
    [InlineData("a\u0315\u0300\u05AE\u0300b", "\u00E0\u05AE\u0300\u0315b")]
    [InlineData("\U0001D15E", "\U0001D157\U0001D165")]
    public void Normalize_GivesFormC(string text, string expected) => Assert.Equal(expected, CanonicalComposition.Normalize(text));
}
