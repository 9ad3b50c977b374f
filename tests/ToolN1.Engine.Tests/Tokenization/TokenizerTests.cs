using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using ToolN1.Engine.Tokenization;
using static ToolN1.Engine.Tests.Tokenization.TinyTokenizer;

namespace ToolN1.Engine.Tests.Tokenization;

public sealed class TokenizerTests
{
    private static readonly Tokenizer Tiny = Load();

    [Theory]
    [InlineData("", new int[0])]
    [InlineData("hello", new[] { Hello })]
    [InlineData("hell w", new[] { Hell, SpaceW })]
    [InlineData("e\u0301", new[] { EAcute })]
    [InlineData("aaaaaaa", new[] { Aaaa, Aa, 'a' })]
    [InlineData("xyz", new int[] { 'x', 'y', 'z' })]
    [InlineData("12", new int[] { '1', '2' })]
    [InlineData("<|im_end|>", new int[] { '<', '|', 'i', 'm', '_', 'e', 'n', 'd', '|', '>' })]
    public void Encode_PlainText_MergesAndNeverYieldsAnAddedToken(string text, int[] expected) => Assert.Equal(expected, Tiny.Encode(text));

    [Fact]
    public void Encode_LoneSurrogates_CountAsReplacementCharacters()
    {
        int[] expected = ['a', 0xEF, 0xBF, 0xBD, 'b', 0xEF, 0xBF, 0xBD];
        Assert.Equal(expected, Tiny.Encode("a\udc00b\ud800"));
        Assert.Equal(expected, Tiny.EncodeWithAddedTokens("a\udc00b\ud800"));
        Assert.Equal(expected, With(root => root["normalizer"] = null).Encode("a\udc00b\ud800"));
    }

    [Fact]
    public void EncodeWithAddedTokens_RecognisesThem() =>
        Assert.Equal([ImStart, He, '<', '|', ToolCall, ToolCallEnd, ImEnd], Tiny.EncodeWithAddedTokens("<|im_start|>he<|<tool_call></tool_call><|im_end|>"));

    [Fact]
    public void EncodePrompt_TemplateProcessor_PutsItsTokensAround()
    {
        Tokenizer tokenizer = With(root => root["post_processor"] = JsonNode.Parse("""
            {"type": "Sequence", "processors": [
              {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false, "use_regex": true},
              {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<|im_start|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
               "pair": [], "special_tokens": {"<|im_start|>": {"id": "<|im_start|>", "ids": [266], "tokens": ["<|im_start|>"]}}}]}
            """));
        Assert.Equal([ImStart, Hello], tokenizer.EncodePrompt("hello"));
        Assert.Equal([Hello], tokenizer.EncodeWithAddedTokens("hello"));
        Assert.Equal([Hello], Tiny.EncodePrompt("hello"));
    }

    [Fact]
    public void Encode_IgnoreMerges_TakesAWholePieceThatIsAToken()
    {
        Tokenizer tokenizer = With(root => root["model"]!["ignore_merges"] = true);
        Assert.Equal([Xyz, ' ', 'x', 'y', 'z', 'a'], tokenizer.Encode("xyz xyza"));
    }

    [Fact]
    public void Encode_AddedTokenInTheVocabulary_StaysPlainEvenWithIgnoreMerges()
    {
        Tokenizer tokenizer = With(root =>
        {
            root["model"]!["ignore_merges"] = true;
            root["added_tokens"]!.AsArray().Add(JsonNode.Parse("""{"id": 264, "content": "xyz", "special": true}"""));
        });
        Assert.Equal(['x', 'y', 'z'], tokenizer.Encode("xyz"));
        Assert.Equal([Xyz], tokenizer.EncodeWithAddedTokens("xyz"));
    }

    [Fact]
    public void Decode_BytesOfACharacterApart_AreJoinedAndBadOnesReplaced()
    {
        Assert.Equal("hé\uFFFD", Tiny.Decode(['h', 0xC3, 0xA9, 0xF0]));
        Assert.Equal("<|im_end|>a", Tiny.Decode([ImEnd, 'a', 100_000]));
        Assert.Equal("a<tool_call>", Tiny.Decode([ImEnd, 'a', ToolCall], skipSpecial: true));
        Assert.Equal(270, Tiny.VocabularySize);
        Assert.Equal(ToolCall, Tiny.FindAddedToken("<tool_call>"));
        Assert.Null(Tiny.FindAddedToken("hello"));
        Assert.True(Tiny.IsSpecial(ImEnd) && !Tiny.IsSpecial(ToolCall) && !Tiny.IsSpecial(Hello));
    }

    [Fact]
    public void Decode_AnyText_ComesBackInFormC() =>
        Gen.String[Gen.Char, 0, 40].Sample(
            text => Assert.Equal(CanonicalComposition.Normalize(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text))), Tiny.Decode(Tiny.Encode(text))),
            iter: 1000);

    [Fact]
    public void IncrementalDetokenizer_AnyIds_EqualsDecodingTheWhole() =>
        Gen.Frequency((3, Gen.Int[0xC0, 0xFF]), (3, Gen.Int[0x80, 0xBF]), (1, Gen.Int[0, 280])).Array[0, 20].Sample(
            ids =>
            {
                IncrementalDetokenizer detokenizer = new(Tiny);
                List<string> pieces = [.. ids.Select(detokenizer.Append), detokenizer.Flush()];
                Assert.Equal(Tiny.Decode(ids), string.Concat(pieces));
                Assert.All(pieces, piece => Assert.False(piece.Length > 0 && (char.IsLowSurrogate(piece[0]) || char.IsHighSurrogate(piece[^1]))));
            },
            iter: 3000);

    [Fact]
    public void Encode_ALongTextWithoutAPieceBoundary_IsNotQuadratic()
    {
        // With the library's own merging this takes minutes.
        int[] ids = Tiny.Encode(new string('a', 400_000));
        Assert.Equal(100_000, ids.Length);
        Assert.DoesNotContain(ids, id => id != Aaaa);
    }

    [Fact]
    public void Encode_CharactersBeyondTheBasicPlane_CountAsOneOfTheirCategory()
    {
        Tokenizer digits = With(root => root["pre_tokenizer"]!["pretokenizers"]![0]!["pattern"]!["Regex"] = @"\p{N}{1,2}|\p{L}+");
        List<(int, int)> pieces = [];
        SplitPattern.Create(@"\p{N}{1,2}|\p{L}+").Split("a\U0001D518\U0001D7CF\U0001D7CF\U0001D7CF\U0001F600b", 0, pieces);
        Assert.Equal([(0, 3), (3, 4), (7, 2), (9, 2), (11, 1)], pieces);
        Assert.Equal("\U0001D7CF\U0001D7CF", digits.Decode(digits.Encode("\U0001D7CF\U0001D7CF")));
    }
}
