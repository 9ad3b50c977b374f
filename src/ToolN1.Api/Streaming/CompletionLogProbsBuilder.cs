using System.Globalization;
using System.Text;
using System.Text.Unicode;
using ToolN1.Api.Contracts;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Tokenization;

namespace ToolN1.Api.Streaming;

/// <summary>Gathers the parallel arrays of a text completion's <c>logprobs</c>.</summary>
internal sealed class CompletionLogProbsBuilder(Tokenizer tokenizer)
{
    private readonly List<string> _tokens = [];
    private readonly List<float?> _logProbs = [];
    private readonly List<IReadOnlyDictionary<string, float>?> _top = [];
    private readonly List<int> _offsets = [];
    private int _offset;

    /// <summary>Adds a token at the present place; its log-probability is null for the first of a prompt.</summary>
    public void Add(int id, TokenLogProb? logProb)
    {
        _tokens.Add(TokenText(id));
        _logProbs.Add(logProb?.LogProb);
        _top.Add(logProb is null ? null : Top(logProb));
        _offsets.Add(_offset);
    }

    /// <summary>Moves the place past a piece of text.</summary>
    public void Advance(string text)
    {
        foreach (Rune _ in text.EnumerateRunes())
        {
            _offset++;
        }
    }

    /// <summary>What was added since the last time.</summary>
    public CompletionLogProbs Take()
    {
        CompletionLogProbs taken = new() { Tokens = [.. _tokens], TokenLogprobs = [.. _logProbs], TopLogprobs = [.. _top], TextOffset = [.. _offsets] };
        _tokens.Clear();
        _logProbs.Clear();
        _top.Clear();
        _offsets.Clear();
        return taken;
    }

    private Dictionary<string, float> Top(TokenLogProb logProb)
    {
        Dictionary<string, float> top = new(StringComparer.Ordinal);
        foreach ((int id, float value) in logProb.Top.Append((logProb.TokenId, logProb.LogProb)))
        {
            // Two ids may share a text (a control token and its spelling): the likelier one keeps it.
            top.TryAdd(TokenText(id), value);
        }

        return top;
    }

    private string TokenText(int id)
    {
        ReadOnlySpan<byte> bytes = tokenizer.TokenBytes(id).Span;
        if (Utf8.IsValid(bytes))
        {
            return Encoding.UTF8.GetString(bytes);
        }

        StringBuilder text = new("bytes:");
        foreach (byte value in bytes)
        {
            text.Append(CultureInfo.InvariantCulture, $"\\x{value:x2}");
        }

        return text.ToString();
    }
}
