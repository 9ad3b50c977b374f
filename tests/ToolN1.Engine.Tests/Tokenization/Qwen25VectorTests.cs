using System.Text.Json;
using ToolN1.Engine.Tokenization;
using ToolN1.TestSupport;

namespace ToolN1.Engine.Tests.Tokenization;

public sealed class Qwen25VectorTests
{
    [Fact]
    public void Encode_EveryVector_GivesTheReferenceIdsAndDecodesToFormC()
    {
        string? folder = TestPaths.Shared("qwen2.5");
        Assert.SkipWhen(folder is null, "shared/qwen2.5 is not here");
        Tokenizer tokenizer = Tokenizer.Load(folder);
        int count = 0;
        foreach (JsonElement line in VectorFile.Read(Path.Combine(folder, "encode-vectors.jsonl.gz")))
        {
            string text = line.GetProperty("text").GetString()!;
            int[] expected = line.GetProperty("ids").Deserialize<int[]>()!;
            Assert.Equal(expected, tokenizer.EncodeWithAddedTokens(text));
            Assert.Equal(CanonicalComposition.Normalize(text), tokenizer.Decode(expected));
            IncrementalDetokenizer detokenizer = new(tokenizer);
            Assert.Equal(tokenizer.Decode(expected), string.Concat(expected.Select(detokenizer.Append)) + detokenizer.Flush());
            Assert.DoesNotContain(tokenizer.Encode(text), id => id >= 151643);
            Assert.Equal(tokenizer.Decode(expected), tokenizer.Decode(tokenizer.Encode(text)));
            count++;
        }

        Assert.Equal(2878, count);
    }
}
