using Microsoft.ML.Tokenizers;

namespace ToolN1.Engine.Tokenization;

/// <summary>Splits a text by patterns, each applied to the pieces of the one before.</summary>
internal sealed class PatternPreTokenizer(IReadOnlyList<SplitPattern> patterns) : PreTokenizer
{
    /// <inheritdoc/>
    public override IEnumerable<(int Offset, int Length)> PreTokenize(string text) => PreTokenize(text.AsSpan());

    /// <inheritdoc/>
    public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text)
    {
        List<(int Offset, int Length)> pieces = text.IsEmpty ? [] : [(0, text.Length)];
        foreach (SplitPattern pattern in patterns)
        {
            List<(int Offset, int Length)> finer = new(text.Length / 4);
            foreach ((int offset, int length) in pieces)
            {
                pattern.Split(text.Slice(offset, length), offset, finer);
            }

            pieces = finer;
        }

        return pieces;
    }
}
