using System.Text.Json;

namespace ToolN1.Engine.Tokenization;

/// <summary>
/// A tokenizer.json, checked: every component and flag in it is either implemented exactly or refused by name.
/// </summary>
internal sealed class TokenizerFile
{
    // Tables are indexed by id; no model comes near this, and a lying file must not ask for gigabytes.
    private const int MaxId = 4_000_000;

    private readonly string _source;

    private TokenizerFile(string source) => _source = source;

    /// <summary>Token to id, without added tokens that are not in the model's own table.</summary>
    public Dictionary<string, int> Vocabulary { get; } = new(StringComparer.Ordinal);

    /// <summary>In order of rank; each half and each whole is in the vocabulary.</summary>
    public List<(string Left, string Right)> Merges { get; } = [];

    /// <summary>A piece that is a token as a whole is taken without merging (Llama 3).</summary>
    public bool IgnoresMerges { get; private set; }

    /// <summary>With <see cref="IgnoresMerges"/>: the tokens that a whole piece may become; added tokens are not among them.</summary>
    public Dictionary<string, int> WholePieces { get; private set; } = [];

    /// <summary>Texts are brought to normalization form C first.</summary>
    public bool NormalizesToFormC { get; private set; }

    /// <summary>Splits a normalized text into the pieces within which merges happen.</summary>
    public PatternPreTokenizer PreTokenizer { get; private set; } = new([]);

    /// <summary>Tokens found as text before anything else.</summary>
    public List<AddedToken> AddedTokens { get; } = [];

    /// <summary>Ids put before a raw prompt.</summary>
    public List<int> PrefixIds { get; } = [];

    /// <summary>Ids put after a raw prompt.</summary>
    public List<int> SuffixIds { get; } = [];

    /// <summary>Reads and checks a file.</summary>
    /// <exception cref="TokenizerFormatException">Malformed or not supported; the message names file and place.</exception>
    public static TokenizerFile Parse(ReadOnlyMemory<byte> json, string source)
    {
        TokenizerFile file = new(source);
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            file.Read(document.RootElement);
            return file;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
        {
            // InvalidOperationException and FormatException: a value of another kind or size than the reader asked for.
            throw file.Error("$", $"cannot be read: {exception.Message}", exception);
        }
    }

    private void Read(JsonElement root)
    {
        Expect(root, "$", ["version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model"]);
        RequireNull(root, "$", "truncation");
        RequireNull(root, "$", "padding");
        ReadModel(Required(root, "$", "model"));
        ReadAddedTokens(root);
        ReadNormalizer(root.TryGetProperty("normalizer", out JsonElement normalizer) ? normalizer : default, "$.normalizer");
        List<SplitPattern> patterns = [];
        ReadPreTokenizer(Required(root, "$", "pre_tokenizer"), "$.pre_tokenizer", patterns, last: true);
        PreTokenizer = new PatternPreTokenizer(patterns);
        if (root.TryGetProperty("post_processor", out JsonElement processor))
        {
            ReadPostProcessor(processor, "$.post_processor");
        }

        JsonElement decoder = Required(root, "$", "decoder");
        Expect(decoder, "$.decoder", ["type", "add_prefix_space", "trim_offsets", "use_regex"]);
        RequireType(decoder, "$.decoder", "ByteLevel");
        WholePieces = IgnoresMerges
            ? Vocabulary.ExceptBy(AddedTokens.Select(token => token.Content), pair => pair.Key).ToDictionary(StringComparer.Ordinal)
            : [];
    }

    private void ReadModel(JsonElement model)
    {
        const string Place = "$.model";
        Expect(model, Place, ["type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges"]);
        RequireType(model, Place, "BPE");
        RequireNull(model, Place, "dropout");
        RequireFalse(model, Place, "byte_fallback");
        RequireEmpty(model, Place, "continuing_subword_prefix");
        RequireEmpty(model, Place, "end_of_word_suffix");
        IgnoresMerges = Flag(model, "ignore_merges", false);
        HashSet<int> ids = [];
        foreach (JsonProperty entry in Required(model, Place, "vocab").EnumerateObject())
        {
            int id = Id(entry.Value, $"{Place}.vocab['{entry.Name}']");
            if (!Vocabulary.TryAdd(entry.Name, id) || !ids.Add(id))
            {
                throw Error($"{Place}.vocab['{entry.Name}']", "names a token or an id twice");
            }
        }

        // With all 256 present no text is ever unknown, so unk_token and fuse_unk cannot matter.
        for (int value = 0; value < 256; value++)
        {
            if (!Vocabulary.ContainsKey(ByteLevelAlphabet.Characters[value].ToString()))
            {
                throw Error($"{Place}.vocab", $"lacks byte 0x{value:X2} ('{ByteLevelAlphabet.Characters[value]}'); only byte-level vocabularies are supported");
            }
        }

        HashSet<(string, string)> seen = [];
        int rank = 0;
        foreach (JsonElement entry in Required(model, Place, "merges").EnumerateArray())
        {
            string at = $"{Place}.merges[{rank++}]";
            string[] halves = entry.ValueKind == JsonValueKind.Array
                ? [.. entry.EnumerateArray().Select(half => half.GetString() ?? "")]
                : entry.GetString()?.Split(' ') ?? [];
            if (halves.Length != 2)
            {
                throw Error(at, "is not a pair of tokens");
            }

            // A whole outside the byte alphabet (a space, say) could never be met in a text, and breaks "left right" notation.
            if (!Vocabulary.ContainsKey(halves[0]) || !Vocabulary.ContainsKey(halves[1]) || !Vocabulary.ContainsKey(halves[0] + halves[1])
                || halves[0].Length == 0 || halves[1].Length == 0 || ByteLevelAlphabet.Decode(halves[0] + halves[1]) is null)
            {
                throw Error(at, $"merges '{halves[0]}' and '{halves[1]}', of which a half or the whole is not in the vocabulary or not byte-level");
            }

            if (!seen.Add((halves[0], halves[1])))
            {
                throw Error(at, $"repeats the merge of '{halves[0]}' and '{halves[1]}'");
            }

            Merges.Add((halves[0], halves[1]));
        }
    }

    private void ReadAddedTokens(JsonElement root)
    {
        if (!root.TryGetProperty("added_tokens", out JsonElement tokens) || tokens.ValueKind == JsonValueKind.Null)
        {
            return;
        }

        HashSet<string> reachable = [.. Merges.Select(merge => merge.Left + merge.Right), .. ByteLevelAlphabet.Characters.Select(character => character.ToString())];
        Dictionary<int, string> owners = Vocabulary.ToDictionary(pair => pair.Value, pair => pair.Key);
        HashSet<string> contents = [];
        foreach (JsonElement token in tokens.EnumerateArray())
        {
            string content = Required(token, "$.added_tokens[]", "content").GetString() ?? "";
            string place = $"$.added_tokens['{content}']";
            Expect(token, place, ["id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"]);
            RequireFalse(token, place, "single_word");
            RequireFalse(token, place, "lstrip");
            RequireFalse(token, place, "rstrip");
            int id = Id(Required(token, place, "id"), place + ".id");
            if (content.Length == 0 || !contents.Add(content))
            {
                throw Error(place, "is empty or listed twice");
            }

            if (owners.TryGetValue(id, out string? owner) && owner != content)
            {
                throw Error(place, $"has the id {id} of '{owner}'");
            }

            owners[id] = content;

            // Content must never become a control token, so an added token that ordinary text can merge into is refused.
            if (Vocabulary.TryGetValue(content, out int own) && (own != id || reachable.Contains(content)))
            {
                throw Error(place, own != id ? $"has id {id} here and {own} in the vocabulary" : "can also be made from plain text by merges");
            }

            AddedTokens.Add(new AddedToken(id, content, Flag(token, "special", false), Flag(token, "normalized", false)));
        }
    }

    private void ReadNormalizer(JsonElement normalizer, string place)
    {
        if (normalizer.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined)
        {
            return;
        }

        switch (Type(normalizer, place))
        {
            case "NFC":
                Expect(normalizer, place, ["type"]);
                NormalizesToFormC = true;
                break;
            case "Sequence":
                Expect(normalizer, place, ["type", "normalizers"]);
                foreach ((int index, JsonElement part) in Required(normalizer, place, "normalizers").EnumerateArray().Index())
                {
                    ReadNormalizer(part, $"{place}.normalizers[{index}]");
                }

                break;
            case string other:
                throw Error(place, $"is of type '{other}'; supported are NFC and none");
        }
    }

    private void ReadPreTokenizer(JsonElement element, string place, List<SplitPattern> patterns, bool last)
    {
        switch (Type(element, place))
        {
            case "Sequence":
                Expect(element, place, ["type", "pretokenizers"]);
                JsonElement[] parts = [.. Required(element, place, "pretokenizers").EnumerateArray()];
                if (parts.Length == 0)
                {
                    throw Error(place, "is empty; the last part must be ByteLevel");
                }

                foreach ((int index, JsonElement part) in parts.Index())
                {
                    ReadPreTokenizer(part, $"{place}.pretokenizers[{index}]", patterns, last && index == parts.Length - 1);
                }

                break;
            case "Split" when !last:
                Expect(element, place, ["type", "pattern", "behavior", "invert"]);
                RequireFalse(element, place, "invert");
                if (Required(element, place, "behavior").GetString() != "Isolated")
                {
                    throw Error(place + ".behavior", $"is '{element.GetProperty("behavior").GetString()}'; supported is Isolated");
                }

                JsonElement pattern = Required(element, place, "pattern");
                Expect(pattern, place + ".pattern", ["Regex"]);
                patterns.Add(Pattern(Required(pattern, place + ".pattern", "Regex").GetString() ?? "", place + ".pattern.Regex"));
                break;
            case "Digits" when !last:
                Expect(element, place, ["type", "individual_digits"]);
                patterns.Add(Pattern(Flag(element, "individual_digits", false) ? @"\p{N}" : @"\p{N}+", place));
                break;
            case "ByteLevel" when last:
                Expect(element, place, ["type", "add_prefix_space", "trim_offsets", "use_regex"]);
                if (Flag(element, "add_prefix_space", true))
                {
                    throw Error(place + ".add_prefix_space", "is true, which is not supported");
                }

                if (Flag(element, "use_regex", true))
                {
                    patterns.Add(Pattern(SplitPattern.Gpt2, place));
                }

                break;
            case string other:
                throw Error(place, $"is of type '{other}'; supported are Split and Digits, and ByteLevel as the last");
        }
    }

    private void ReadPostProcessor(JsonElement element, string place)
    {
        if (element.ValueKind == JsonValueKind.Null)
        {
            return;
        }

        switch (Type(element, place))
        {
            case "ByteLevel":
                // It only trims offsets, which nobody reads here.
                Expect(element, place, ["type", "add_prefix_space", "trim_offsets", "use_regex"]);
                break;
            case "Sequence":
                Expect(element, place, ["type", "processors"]);
                foreach ((int index, JsonElement part) in Required(element, place, "processors").EnumerateArray().Index())
                {
                    ReadPostProcessor(part, $"{place}.processors[{index}]");
                }

                break;
            case "TemplateProcessing" when PrefixIds.Count + SuffixIds.Count == 0:
                Expect(element, place, ["type", "single", "pair", "special_tokens"]);
                ReadTemplate(element, place);
                break;
            case string other:
                throw Error(place, $"is of type '{other}'; supported are ByteLevel and one TemplateProcessing");
        }
    }

    private void ReadTemplate(JsonElement element, string place)
    {
        bool afterText = false;
        foreach (JsonElement part in Required(element, place, "single").EnumerateArray())
        {
            if (part.TryGetProperty("Sequence", out JsonElement sequence))
            {
                if (afterText || Required(sequence, place, "id").GetString() != "A")
                {
                    throw Error(place + ".single", "is not one text A with tokens around it");
                }

                afterText = true;
                continue;
            }

            string name = Required(Required(part, place + ".single[]", "SpecialToken"), place, "id").GetString() ?? "";
            JsonElement token = Required(Required(element, place, "special_tokens"), place + ".special_tokens", name);
            foreach (JsonElement id in Required(token, place, "ids").EnumerateArray())
            {
                int known = Id(id, $"{place}.special_tokens['{name}'].ids");
                if (!AddedTokens.Exists(added => added.Id == known))
                {
                    throw Error($"{place}.special_tokens['{name}'].ids", $"holds {known}, which is no added token");
                }

                (afterText ? SuffixIds : PrefixIds).Add(known);
            }
        }

        if (!afterText)
        {
            throw Error(place + ".single", "holds no text A");
        }
    }

    private SplitPattern Pattern(string pattern, string place)
    {
        try
        {
            return SplitPattern.Create(pattern);
        }
        catch (NotSupportedException exception)
        {
            throw Error(place, $"is not supported: {exception.Message}", exception);
        }
    }

    private int Id(JsonElement element, string place)
    {
        int id = element.GetInt32();
        return id is >= 0 and < MaxId ? id : throw Error(place, $"is {id}; ids lie between 0 and {MaxId - 1}");
    }

    private string Type(JsonElement element, string place) => Required(element, place, "type").GetString() ?? throw Error(place + ".type", "is null");

    private void RequireType(JsonElement element, string place, string type)
    {
        if (Type(element, place) != type)
        {
            throw Error(place, $"is of type '{Type(element, place)}'; supported is {type}");
        }
    }

    private static bool Flag(JsonElement element, string name, bool absent) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value.GetBoolean() : absent;

    private void RequireFalse(JsonElement element, string place, string name)
    {
        if (Flag(element, name, false))
        {
            throw Error($"{place}.{name}", "is true, which is not supported");
        }
    }

    private void RequireNull(JsonElement element, string place, string name)
    {
        if (element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null)
        {
            throw Error($"{place}.{name}", "is set, which is not supported");
        }
    }

    private void RequireEmpty(JsonElement element, string place, string name)
    {
        if (element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null && value.GetString() != "")
        {
            throw Error($"{place}.{name}", $"is '{value.GetString()}', which is not supported");
        }
    }

    private JsonElement Required(JsonElement element, string place, string name) =>
        element.TryGetProperty(name, out JsonElement value) ? value : throw Error(place, $"lacks '{name}'");

    private void Expect(JsonElement element, string place, string[] names)
    {
        HashSet<string> seen = [];
        foreach (JsonProperty property in element.EnumerateObject())
        {
            if (!names.Contains(property.Name) || !seen.Add(property.Name))
            {
                throw Error($"{place}.{property.Name}", "is not a property that is known here, or is there twice");
            }
        }
    }

    private TokenizerFormatException Error(string place, string complaint, Exception? inner = null) =>
        new($"{_source}: {place} {complaint}.", inner);
}
