using ToolN1.Engine.Chat;
using ToolN1.Engine.Tokenization;
using ToolN1.Training.Data;
using ToolN1.Training.Data.Synthetic;
using ToolN1.Training.Data.Tokenizers;

namespace ToolN1.Training.Tests.Data;

public sealed class ToolCallTokenizerTests(ToolCallTokenizerTests.Trained trained) : IClassFixture<ToolCallTokenizerTests.Trained>
{
    private readonly string _folder = trained.Folder;
    private readonly Tokenizer _tokenizer = trained.Tokenizer;

    [Fact]
    public void Train_AskedForASize_MakesThatManyTokens() => Assert.Equal(1600, _tokenizer.VocabularySize);

    [Fact]
    public void Train_SameCorpus_WritesSameBytes()
    {
        string again = Path.Combine(_folder, "again");
        TokenizerCorpus.Train([Path.Combine(_folder, "rows.jsonl")], 1600).Write(again);
        Assert.Equal(File.ReadAllBytes(Path.Combine(_folder, "tokenizer.json")), File.ReadAllBytes(Path.Combine(again, "tokenizer.json")));
    }

    [Fact]
    public void Train_FewerTokensThanBytesNeed_Refuses() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => TokenizerCorpus.Train([Path.Combine(_folder, "rows.jsonl")], 100));

    [Theory]
    [InlineData("Oslo")]
    [InlineData("Reykjavik")]
    [InlineData("Grand Hotel Zzyx 12")]
    [InlineData("Kraków")]
    [InlineData("2026-03-14")]
    [InlineData("x7@flum-tor.example")]
    public void Encode_ValueInRequestAndInCall_HasTheSameTokens(string value)
    {
        int[] alone = _tokenizer.Encode(value);
        AssertContains(alone, _tokenizer.Encode($"What is it in {value}?"));
        AssertContains(alone, _tokenizer.Encode($"[{{\"name\": \"f\", \"arguments\": {{\"city\": \"{value}\", \"n\": 3}}}}]"));
    }

    [Theory]
    [InlineData("héllo wörld, 東京 and 👍🏽 tabs\tand\nlines  twice")]
    [InlineData("{\"a\": [1, 2.50, null, true], \"b\": \"x\\\"y\"}")]
    [InlineData("<|im_start|>user")]
    public void Encode_AnyText_DecodesToItself(string text) => Assert.Equal(text, _tokenizer.Decode(_tokenizer.Encode(text)));

    [Fact]
    public void Encode_FixedPromptText_TakesFewTokens()
    {
        IChatFormat format = ChatFormats.Create("tool-n1", _folder, _tokenizer);
        ChatTool tool = new("get_weather", "{\"name\": \"get_weather\", \"description\": \"Get the weather\", \"parameters\": {\"type\": \"object\", \"properties\": {\"city\": {\"type\": \"string\", \"description\": \"The city\"}}, \"required\": [\"city\"]}}");
        ChatMessage user = new() { Role = ChatRole.User, Content = "What is the weather in Paris?" };
        ChatPrompt prompt = format.Render([user], [tool], addGenerationPrompt: true);
        Assert.True(prompt.Text.Length > 1_500, "The prompt is the whole Tool-N1 prompt.");
        Assert.InRange(prompt.Encode(_tokenizer).Length, 40, 130);
    }

    [Fact]
    public void Encode_Content_NeverGivesAddedTokens()
    {
        int think = _tokenizer.FindAddedToken("<think>")!.Value;
        Assert.DoesNotContain(think, _tokenizer.Encode("<think>"));
        Assert.Equal([think], _tokenizer.EncodeWithAddedTokens("<think>"));
        Assert.False(_tokenizer.IsSpecial(think));
        Assert.True(_tokenizer.IsSpecial(_tokenizer.FindAddedToken("<|im_end|>")!.Value));
    }

    /// <summary>One tokenizer for all tests: training takes a second.</summary>
    public sealed class Trained : IDisposable
    {
        public Trained()
        {
            string rows = Path.Combine(Folder, "rows.jsonl");
            TrainingRowWriter.Write(rows, new SyntheticGenerator().Training(3, 400, 5));
            TokenizerCorpus.Train([rows], 1600).Write(Folder);
            Tokenizer = Tokenizer.Load(Folder);
        }

        public string Folder { get; } = Directory.CreateTempSubdirectory("tooln1-tokenizer-").FullName;

        public Tokenizer Tokenizer { get; }

        public void Dispose() => Directory.Delete(Folder, recursive: true);
    }

    private static void AssertContains(int[] part, int[] whole) =>
        Assert.True(Enumerable.Range(0, whole.Length - part.Length + 1).Any(i => whole.AsSpan(i, part.Length).SequenceEqual(part)), $"[{string.Join(' ', part)}] is not in [{string.Join(' ', whole)}]");
}
