using System.Text;
using ToolN1.Engine.Tokenization;

namespace ToolN1.Engine.Constraints.Automata;

/// <summary>
/// A tag of the chat format. Where the vocabulary has the tag as an added token, that token stands for it (the
/// tokenization that the model was trained on); else its text does. A tag that was begun as text is ended as text.
/// </summary>
internal sealed class TagRule : Rule
{
    private readonly byte[] _text;
    private readonly int _tokenId;

    /// <summary>Creates the rule.</summary>
    /// <param name="text">The tag.</param>
    /// <param name="tokenizer">The vocabulary that may have a token for it.</param>
    public TagRule(string text, Tokenizer tokenizer)
    {
        _text = Encoding.UTF8.GetBytes(text);
        _tokenId = tokenizer.FindAddedToken(text) ?? -1;
        UpdateMinima();
    }

    /// <inheritdoc/>
    public override int AfterAddedToken => _text.Length;

    /// <inheritdoc/>
    public override int AddedToken(int state) => state == 0 ? _tokenId : -1;

    /// <inheritdoc/>
    public override int Next(int state, byte value, int room) =>
        HasBytes(state) && _text[state] == value ? state + 1 : -1;

    /// <inheritdoc/>
    public override bool HasBytes(int state) => state < _text.Length && (state > 0 || _tokenId < 0);

    /// <inheritdoc/>
    public override bool IsFinal(int state) => state == _text.Length;

    /// <inheritdoc/>
    public override int MinBytesFrom(int state) => _text.Length - state;

    /// <inheritdoc/>
    protected override int ComputeMinDepth() => 0;
}
