using System.Text.Encodings.Web;
using System.Text.Json;

namespace ToolN1.Training.Data.Tokenizers;

/// <summary>A trained tokenizer, written as Hugging Face's tokenizer.json and tokenizer_config.json.</summary>
public sealed class ToolCallTokenizerFile
{
    private static readonly JsonWriterOptions Readable = new() { Indented = true, IndentSize = 1, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" };

    private readonly string _pattern;
    private readonly IReadOnlyList<string> _vocabulary;
    private readonly IReadOnlyList<(string Left, string Right)> _merges;

    internal ToolCallTokenizerFile(string pattern, IReadOnlyList<string> vocabulary, IReadOnlyList<(string Left, string Right)> merges)
    {
        _pattern = pattern;
        _vocabulary = vocabulary;
        _merges = merges;
    }

    /// <summary>Tokens in all, added ones included.</summary>
    public int VocabularySize => _vocabulary.Count + ToolCallTokenizerTrainer.AddedTokens.Count;

    /// <summary>Writes tokenizer.json and tokenizer_config.json into a folder, which is made where it does not exist.</summary>
    public void Write(string folder)
    {
        Directory.CreateDirectory(folder);
        WriteJson(Path.Combine(folder, "tokenizer.json"), WriteTokenizer);
        WriteJson(Path.Combine(folder, "tokenizer_config.json"), WriteConfig);
    }

    private static void WriteJson(string path, Action<Utf8JsonWriter> write)
    {
        using FileStream stream = File.Create(path);
        using Utf8JsonWriter writer = new(stream, Readable);
        write(writer);
        writer.Flush();
        stream.WriteByte((byte)'\n');
    }

    private void WriteTokenizer(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("version", "1.0");
        json.WriteNull("truncation");
        json.WriteNull("padding");
        json.WriteStartArray("added_tokens");
        for (int i = 0; i < ToolCallTokenizerTrainer.AddedTokens.Count; i++)
        {
            json.WriteStartObject();
            json.WriteNumber("id", _vocabulary.Count + i);
            WriteAddedToken(json, i);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartObject("normalizer");
        json.WriteString("type", "NFC");
        json.WriteEndObject();
        json.WriteStartObject("pre_tokenizer");
        json.WriteString("type", "Sequence");
        json.WriteStartArray("pretokenizers");
        json.WriteStartObject();
        json.WriteString("type", "Split");
        json.WriteStartObject("pattern");
        json.WriteString("Regex", _pattern);
        json.WriteEndObject();
        json.WriteString("behavior", "Isolated");
        json.WriteBoolean("invert", false);
        json.WriteEndObject();
        WriteByteLevel(json);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteNull("post_processor");
        json.WritePropertyName("decoder");
        WriteByteLevel(json);
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        json.WriteNull("dropout");
        json.WriteNull("unk_token");
        json.WriteString("continuing_subword_prefix", string.Empty);
        json.WriteString("end_of_word_suffix", string.Empty);
        json.WriteBoolean("fuse_unk", false);
        json.WriteBoolean("byte_fallback", false);
        json.WriteBoolean("ignore_merges", true);
        json.WriteStartObject("vocab");
        for (int id = 0; id < _vocabulary.Count; id++)
        {
            json.WriteNumber(_vocabulary[id], id);
        }

        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach ((string left, string right) in _merges)
        {
            json.WriteStringValue(left + " " + right);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteConfig(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("tokenizer_class", "PreTrainedTokenizerFast");
        json.WriteString("eos_token", "<|im_end|>");
        json.WriteString("pad_token", "<|endoftext|>");
        json.WriteNull("bos_token");
        json.WriteNull("unk_token");
        json.WriteBoolean("add_bos_token", false);
        json.WriteBoolean("add_prefix_space", false);
        json.WriteBoolean("clean_up_tokenization_spaces", false);
        json.WriteNumber("model_max_length", 4096);
        json.WriteStartObject("added_tokens_decoder");
        for (int i = 0; i < ToolCallTokenizerTrainer.AddedTokens.Count; i++)
        {
            json.WriteStartObject((_vocabulary.Count + i).ToString());
            WriteAddedToken(json, i);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteAddedToken(Utf8JsonWriter json, int index)
    {
        json.WriteString("content", ToolCallTokenizerTrainer.AddedTokens[index]);
        json.WriteBoolean("single_word", false);
        json.WriteBoolean("lstrip", false);
        json.WriteBoolean("rstrip", false);
        json.WriteBoolean("normalized", false);
        json.WriteBoolean("special", index < ToolCallTokenizerTrainer.SpecialTokens);
    }

    private static void WriteByteLevel(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", false);
        json.WriteBoolean("trim_offsets", false);
        json.WriteBoolean("use_regex", false);
        json.WriteEndObject();
    }
}
