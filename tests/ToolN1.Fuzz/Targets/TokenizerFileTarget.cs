using System.Text;
using ToolN1.Engine.Tokenization;

namespace ToolN1.Fuzz.Targets;

/// <summary>A tokenizer.json: refused by name, or it encodes without a control token and decodes what it encoded.</summary>
internal sealed class TokenizerFileTarget : IFuzzTarget
{
    private const string Text = "Héllo <|im_start|> 123\n x";

    public string Name => "tokenizer";

    public IReadOnlyList<string> Dictionary { get; } =
    [
        "\"type\":\"BPE\"", "\"type\":\"ByteLevel\"", "\"type\":\"Split\"", "\"type\":\"Sequence\"", "\"type\":\"NFC\"", "\"Regex\":\"", "(?:", "[^\\\\r", "\\\\p{L}", "{1,3}", "+?", "\"merges\":[", "\"vocab\":{",
        "\"ignore_merges\":true", "\"special\":true", "\"normalized\":true", "\"id\":", "\"content\":\"", "\"add_prefix_space\":true", "\"behavior\":\"Removed\"", "\"TemplateProcessing\"",
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        Tokenizer tokenizer;
        try
        {
            tokenizer = Tokenizer.Parse(input.ToArray(), "input");
        }
        catch (TokenizerFormatException error) when (error.Message.StartsWith("input", StringComparison.Ordinal))
        {
            return;
        }

        int[] ids = tokenizer.Encode(Text);
        if (ids.Any(tokenizer.IsSpecial))
        {
            throw new InvalidOperationException("plain text became a special token");
        }

        string expected = Text.Normalize(NormalizationForm.FormC);
        if (tokenizer.Decode(ids) != expected)
        {
            throw new InvalidOperationException($"'{tokenizer.Decode(ids)}' came back instead of '{expected}'");
        }

        tokenizer.EncodePrompt(Text);
    }
}
