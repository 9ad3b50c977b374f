using System.Text.Json.Nodes;

namespace ToolN1.TestSupport;

/// <summary>A checkpoint that needs no download: the random Qwen2 fixture with a byte-level tokenizer of its vocabulary size.</summary>
public static class TinyCheckpoint
{
    private const int VocabularySize = 1024;
    private const string Letters = "etaoinshrdlcumwfgypbvkjxqzET";
    private static readonly string[] Special = ["<|endoftext|>", "<|im_end|>", "<|im_start|>"];

    /// <summary>Writes the checkpoint into a folder and returns the folder.</summary>
    public static string Write(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (string file in new[] { "config.json", "generation_config.json", "model.safetensors" })
        {
            File.Copy(Path.Combine(TestPaths.Fixtures, "qwen2-tiny", file), Path.Combine(folder, file), overwrite: true);
        }

        WriteTokenizer(folder);
        return folder;
    }

    /// <summary>Writes only the tokenizer: the 256 bytes and merges of letter pairs; ids 0 and 1 end a turn, as the fixture's do.</summary>
    public static string WriteTokenizer(string folder)
    {
        Directory.CreateDirectory(folder);
        JsonObject vocabulary = [];
        foreach (char character in ByteAlphabet())
        {
            vocabulary[character.ToString()] = Special.Length + vocabulary.Count;
        }

        JsonArray merges = [];
        foreach ((char left, char right) in Letters.SelectMany(left => Letters.Select(right => (left, right))))
        {
            if (Special.Length + vocabulary.Count < VocabularySize)
            {
                vocabulary[$"{left}{right}"] = Special.Length + vocabulary.Count;
                merges.Add($"{left} {right}");
            }
        }

        JsonObject tokenizer = new()
        {
            ["version"] = "1.0",
            ["added_tokens"] = new JsonArray([.. Special.Select((content, id) => new JsonObject { ["id"] = id, ["content"] = content, ["special"] = true })]),
            ["normalizer"] = new JsonObject { ["type"] = "NFC" },
            ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["use_regex"] = true },
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel" },
            ["model"] = new JsonObject { ["type"] = "BPE", ["vocab"] = vocabulary, ["merges"] = merges },
        };
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), tokenizer.ToJsonString());
        return folder;
    }

    private static IEnumerable<char> ByteAlphabet()
    {
        int next = 256;
        for (int value = 0; value < 256; value++)
        {
            bool printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            yield return printable ? (char)value : (char)next++;
        }
    }
}
