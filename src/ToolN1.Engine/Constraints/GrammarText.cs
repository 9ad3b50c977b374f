using ToolN1.Engine.Constraints.Automata;

namespace ToolN1.Engine.Constraints;

/// <summary>A stretch of text that a grammar determines: runs of bytes and added tokens, and the stacks after it.</summary>
internal sealed class GrammarText
{
    private readonly List<(List<byte> Bytes, int Token)> _runs = [];

    /// <summary>Runs in order: bytes with token -1, or an added token.</summary>
    public IReadOnlyList<(List<byte> Bytes, int Token)> Runs => _runs;

    /// <summary>Bytes and tokens.</summary>
    public int Length { get; private set; }

    /// <summary>Stacks after the stretch.</summary>
    public IReadOnlyList<Frame> Rest { get; set; } = [];

    /// <summary>Whether the answer may end after it.</summary>
    public bool EndsThere { get; set; }

    /// <summary>Appends a byte.</summary>
    public void AddByte(byte value)
    {
        if (_runs.Count == 0 || _runs[^1].Token >= 0)
        {
            _runs.Add(([], -1));
        }

        _runs[^1].Bytes.Add(value);
        Length++;
    }

    /// <summary>Appends an added token.</summary>
    public void AddToken(int token)
    {
        _runs.Add(([], token));
        Length++;
    }
}
