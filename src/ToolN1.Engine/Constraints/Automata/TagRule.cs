using System.Text;

namespace ToolN1.Engine.Constraints.Automata;

/// <summary>
/// A tag of the chat format. Where the vocabulary has the tag as an added token only that token stands for it (the
/// tokenization that the model was trained on); else its text does.
/// </summary>
internal sealed class TagRule : Rule
{
    private readonly byte[] _text;
    private readonly int _tokenId;

    /// <summary>Creates the rule.</summary>
    /// <param name="text">The tag.</param>
    /// <param name="tokenId">Its added token, or null.</param>
    public TagRule(string text, int? tokenId)
    {
        _text = Encoding.UTF8.GetBytes(text);
        _tokenId = tokenId ?? -1;
        UpdateMinima();
    }

    /// <inheritdoc/>
    public override int AfterAddedToken => _text.Length;

    /// <inheritdoc/>
    public override int AddedToken(int state) => state == 0 ? _tokenId : -1;

    /// <inheritdoc/>
    public override int Next(int state, byte value, int room) =>
        _tokenId < 0 && state < _text.Length && _text[state] == value ? state + 1 : -1;

    /// <inheritdoc/>
    public override bool HasBytes(int state) => _tokenId < 0 && state < _text.Length;

    /// <inheritdoc/>
    public override bool IsFinal(int state) => state == _text.Length;

    /// <inheritdoc/>
    public override int MinBytesFrom(int state) => _text.Length - state;

    /// <inheritdoc/>
    protected override int ComputeMinDepth() => 0;
}
