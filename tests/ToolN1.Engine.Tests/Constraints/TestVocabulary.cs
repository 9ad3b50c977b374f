using System.Text;
using System.Text.Json;
using ToolN1.Engine.Constraints.Masks;
using ToolN1.Engine.Tokenization;

namespace ToolN1.Engine.Tests.Constraints;

/// <summary>A small byte-level vocabulary: every byte, some merges that cross JSON's borders, and an end token.</summary>
internal static class TestVocabulary
{
    private static readonly Lazy<VocabularyIndex> Lazy = new(() => new VocabularyIndex(Tokenizer.Parse(Json(), "test vocabulary")));

    /// <summary>The index.</summary>
    public static VocabularyIndex Index => Lazy.Value;

    /// <summary>Ends an answer.</summary>
    public static int End => Index.Tokenizer.FindAddedToken("<|end|>")!.Value;

    /// <summary>The same vocabulary as a tokenizer.json.</summary>
    public static byte[] Json(bool hasTags = false)
    {
        char[] letters = Letters();
        Dictionary<string, int> vocabulary = [];
        foreach (char letter in letters)
        {
            vocabulary.Add(letter.ToString(), vocabulary.Count);
        }

        List<string[]> merges = [];
        string[] words = ["{\"", "\":", "\",", "\"}", "\"}]", "},", "{\"na", "name", "true", "fal", "false", "</", "</thi", "nk>", "argu", "ments", "12", "ab", "abc", "é", "世", "\\\"", "\\u", "\"abc", "x\"", "[[", "]}", ", \"", ": \""];
        foreach (string word in words)
        {
            string spelled = string.Concat(Encoding.UTF8.GetBytes(word).Select(value => letters[value]));
            for (int length = 2; length <= spelled.Length; length++)
            {
                if (!vocabulary.ContainsKey(spelled[..length]))
                {
                    vocabulary.Add(spelled[..length], vocabulary.Count);
                    merges.Add([spelled[..(length - 1)], spelled[(length - 1)..length]]);
                }
            }
        }

        List<object> added = [new { id = vocabulary.Count, content = "<|end|>", single_word = false, lstrip = false, rstrip = false, normalized = false, special = true }];
        foreach (string tag in hasTags ? ["<tool_call>", "</tool_call>", "<|control|>"] : Array.Empty<string>())
        {
            added.Add(new { id = vocabulary.Count + added.Count, content = tag, single_word = false, lstrip = false, rstrip = false, normalized = false, special = false });
        }

        return JsonSerializer.SerializeToUtf8Bytes(new
        {
            version = "1.0",
            added_tokens = added,
            normalizer = (object?)null,
            pre_tokenizer = new { type = "ByteLevel", add_prefix_space = false, trim_offsets = true, use_regex = true },
            post_processor = (object?)null,
            decoder = new { type = "ByteLevel", add_prefix_space = true, trim_offsets = true, use_regex = true },
            model = new { type = "BPE", dropout = (object?)null, unk_token = (object?)null, continuing_subword_prefix = (object?)null, end_of_word_suffix = (object?)null, fuse_unk = false, byte_fallback = false, vocab = vocabulary, merges },
        });
    }

    // GPT-2's alphabet: printable bytes stand for themselves, the others for characters from 256 on.
    private static char[] Letters()
    {
        char[] letters = new char[256];
        int next = 256;
        for (int value = 0; value < 256; value++)
        {
            bool isPrintable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            letters[value] = isPrintable ? (char)value : (char)next++;
        }

        return letters;
    }
}
