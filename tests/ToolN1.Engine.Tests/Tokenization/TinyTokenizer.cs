using System.Text;
using System.Text.Json.Nodes;
using ToolN1.Engine.Tokenization;
using ToolN1.TestSupport;

namespace ToolN1.Engine.Tests.Tokenization;

/// <summary>The committed tokenizer of 265 tokens and 5 added ones, and variations of it.</summary>
internal static class TinyTokenizer
{
    public const int He = 256, Ll = 257, Hell = 258, Hello = 259, SpaceW = 260, EAcute = 261, Aa = 262, Aaaa = 263, Xyz = 264;
    public const int EndOfText = 265, ImStart = 266, ImEnd = 267, ToolCall = 268, ToolCallEnd = 269;

    public static string Folder { get; } = Path.Combine(TestPaths.Fixtures, "tokenizer-tiny");

    public static string Json { get; } = File.ReadAllText(Path.Combine(Folder, "tokenizer.json"));

    public static Tokenizer Load() => Tokenizer.Load(Folder);

    public static Tokenizer With(Action<JsonNode> change)
    {
        JsonNode root = JsonNode.Parse(Json)!;
        change(root);
        return Parse(root.ToJsonString());
    }

    public static Tokenizer Parse(string json) => Tokenizer.Parse(Encoding.UTF8.GetBytes(json), "tokenizer.json");
}
