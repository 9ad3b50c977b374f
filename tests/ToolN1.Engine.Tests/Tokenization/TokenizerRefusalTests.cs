using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using ToolN1.Engine.Tokenization;
using static ToolN1.Engine.Tests.Tokenization.TinyTokenizer;

namespace ToolN1.Engine.Tests.Tokenization;

public sealed class TokenizerRefusalTests
{
    [Theory]
    [InlineData("model", """{"type": "WordPiece"}""", "WordPiece")]
    [InlineData("model.type", "\"Unigram\"", "Unigram")]
    [InlineData("model.byte_fallback", "true", "byte_fallback")]
    [InlineData("model.dropout", "0.1", "dropout")]
    [InlineData("model.continuing_subword_prefix", "\"##\"", "continuing_subword_prefix")]
    [InlineData("model.surprise", "1", "surprise")]
    [InlineData("model.merges", "[\"a zz\"]", "merges[0]")]
    [InlineData("model.merges", "[[\"a\", \"a\"], [\"a\", \"a\"]]", "merges[1]")]
    [InlineData("model.vocab", "{\"a\": 0}", "byte 0x00")]
    [InlineData("normalizer", """{"type": "NFKC"}""", "NFKC")]
    [InlineData("normalizer", """{"type": "Sequence", "normalizers": [{"type": "Lowercase"}]}""", "Lowercase")]
    [InlineData("pre_tokenizer", """{"type": "Metaspace"}""", "Metaspace")]
    [InlineData("pre_tokenizer", """{"type": "ByteLevel", "add_prefix_space": true, "use_regex": true}""", "add_prefix_space")]
    [InlineData("pre_tokenizer.pretokenizers.0.behavior", "\"Removed\"", "Removed")]
    [InlineData("pre_tokenizer.pretokenizers.0.invert", "true", "invert")]
    [InlineData("pre_tokenizer.pretokenizers.0.pattern", """{"String": " "}""", "String")]
    [InlineData("pre_tokenizer.pretokenizers.0.pattern.Regex", "\"\\\\w+\"", "\\w")]
    [InlineData("pre_tokenizer.pretokenizers.0.pattern.Regex", "\"\\\\p{Han}+\"", "\\p{Han}")]
    [InlineData("pre_tokenizer.pretokenizers.0.pattern.Regex", "\"a++\"", "'++'")]
    [InlineData("pre_tokenizer.pretokenizers.0.pattern.Regex", "\"(?i:x)\"", "(?i:")]
    [InlineData("pre_tokenizer.pretokenizers.0.pattern.Regex", "\"(a\"", "parse")]
    [InlineData("post_processor", """{"type": "RobertaProcessing"}""", "RobertaProcessing")]
    [InlineData("decoder", """{"type": "WordPiece"}""", "WordPiece")]
    [InlineData("truncation", """{"max_length": 5}""", "truncation")]
    [InlineData("added_tokens.0.lstrip", "true", "lstrip")]
    [InlineData("added_tokens.0.single_word", "true", "single_word")]
    [InlineData("added_tokens.0.id", "5", "has the id 5")]
    [InlineData("added_tokens.0.content", "\"hello\"", "hello")]
    [InlineData("added_tokens.0.id", "99999999", "99999999")]
    public void Parse_WhatIsNotSupportedExactly_IsRefusedByName(string place, string value, string named)
    {
        TokenizerFormatException exception = Assert.Throws<TokenizerFormatException>(() => With(root =>
        {
            string[] path = place.Split('.');
            JsonNode parent = path[..^1].Aggregate(root, (node, key) => int.TryParse(key, out int index) ? node[index]! : node[key]!);
            parent[path[^1]] = JsonNode.Parse(value);
        }));
        Assert.Contains(named, exception.Message, StringComparison.Ordinal);
        Assert.Contains("tokenizer.json", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_AddedTokenThatTextCanMergeInto_IsRefused()
    {
        TokenizerFormatException exception = Assert.Throws<TokenizerFormatException>(() =>
            With(root => root["added_tokens"]!.AsArray().Add(JsonNode.Parse("""{"id": 259, "content": "hello", "special": true}"""))));
        Assert.Contains("'hello'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_MergesAsPairsAndGpt2Splitting_AreSupported()
    {
        Tokenizer tokenizer = With(root =>
        {
            root["model"]!["merges"] = new JsonArray([.. root["model"]!["merges"]!.AsArray().Select(merge => (JsonNode)new JsonArray([.. merge!.GetValue<string>().Split(' ').Select(half => (JsonNode)half)]))]);
            root["pre_tokenizer"] = JsonNode.Parse("""{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}""");
            root["normalizer"] = null;
        });
        Assert.Equal([Hello, SpaceW, 'e', 0xCC, 0x81], tokenizer.Encode("hello we\u0301"));
    }

    [Fact]
    public void Load_NoFile_SaysSo() => Assert.Throws<FileNotFoundException>(() => Tokenizer.Load(Path.GetTempPath()));

    [Fact]
    public void Parse_DamagedBytes_GiveOnlyTheDocumentedException()
    {
        byte[] original = Encoding.UTF8.GetBytes(TinyTokenizer.Json);
        Gen.Select(Gen.Int[0, original.Length - 1], Gen.Byte, Gen.Int[0, 3], Gen.Int[0, 60]).Array[1, 3].Sample(
            damages =>
            {
                List<byte> bytes = [.. original];
                foreach ((int at, byte value, int kind, int length) in damages)
                {
                    int place = Math.Min(at, bytes.Count - 1);
                    switch (kind)
                    {
                        case 0:
                            bytes[place] = value;
                            break;
                        case 1:
                            bytes.Insert(place, value);
                            break;
                        case 2:
                            bytes.RemoveRange(place, Math.Min(length, bytes.Count - 1 - place));
                            break;
                        default:
                            bytes.InsertRange(place, bytes.GetRange(0, Math.Min(length, bytes.Count)));
                            break;
                    }
                }

                AssertLoadsOrIsRefused([.. bytes]);
            },
            iter: 300);
    }

    [Fact]
    public void Parse_ValuesOfOtherKinds_GiveOnlyTheDocumentedException()
    {
        string[] values = ["null", "true", "0", "-1", "1e99", "1.5", "\"\"", "\"a b\"", "\"\\ud800\"", "[]", "[[]]", "{}", "{\"type\": \"Sequence\"}"];
        List<string[]> places = [];
        Collect(JsonNode.Parse(TinyTokenizer.Json)!, [], places);
        Gen.Select(Gen.Int[0, places.Count - 1], Gen.Int[0, values.Length - 1]).Sample(
            (place, value) =>
            {
                JsonNode changed = JsonNode.Parse(TinyTokenizer.Json)!;
                JsonNode parent = places[place][..^1].Aggregate(changed, (node, key) => node is JsonArray ? node[int.Parse(key)]! : node[key]!);
                string last = places[place][^1];
                string marker = "\u0001" + Guid.NewGuid();
                if (parent is JsonArray array)
                {
                    array[int.Parse(last)] = marker;
                }
                else
                {
                    parent[last] = marker;
                }

                string json = changed.ToJsonString().Replace(System.Text.Json.JsonSerializer.Serialize(marker), values[value], StringComparison.Ordinal);
                AssertLoadsOrIsRefused(Encoding.UTF8.GetBytes(json));
            },
            iter: 300);
    }

    private static void AssertLoadsOrIsRefused(byte[] json)
    {
        try
        {
            _ = Tokenizer.Parse(json, "tokenizer.json").Encode("hello <|im_end|> é");
        }
        catch (TokenizerFormatException)
        {
            // The documented one.
        }
    }

    private static void Collect(JsonNode node, string[] path, List<string[]> places)
    {
        IEnumerable<(string Key, JsonNode? Value)> children = node switch
        {
            JsonObject nested => nested.Select(pair => (pair.Key, pair.Value)),
            JsonArray list => list.Select((value, index) => (index.ToString(), value)),
            _ => [],
        };
        foreach ((string key, JsonNode? value) in children.Where(child => path is not [.., "vocab"] || child.Key == "a"))
        {
            places.Add([.. path, key]);
            if (value is not null)
            {
                Collect(value, [.. path, key], places);
            }
        }
    }
}
