using System.Text;
using CsCheck;
using ToolN1.Engine.Tokenization;
using ToolN1.TestSupport;

namespace ToolN1.Engine.Tests.Tokenization;

/// <summary>The merger against the definition: again and again the merge of lowest rank, leftmost first.</summary>
public sealed class LongPieceMergerTests
{
    private const string Letters = "abc";

    // Merges as training never makes them too: a token reached in two ways, a result ranked before its parts.
    private static readonly Gen<List<(string Left, string Right)>> Merges =
        Gen.Select(Gen.Int[0, 1000], Gen.Int[0, 1000]).Array[0, 12].SelectMany(choices => Gen.Shuffle(Grow(choices)).Select(merges => merges.ToList()));

    [Fact]
    public void Encode_AnyMergesAndAnyPiece_FollowsTheDefinition() =>
        Gen.Select(Merges, Gen.Char[Letters].Array[1, 60]).Sample(
            (merges, letters) =>
            {
                string text = new(letters);
                Dictionary<string, int> vocabulary = Vocabulary(merges);
                List<int> ids = [];
                new LongPieceMerger(vocabulary, merges).Encode(Encoding.UTF8.GetBytes(text), ids);
                Assert.Equal(Define(text, merges).Select(token => vocabulary[token]), ids);
            },
            iter: 3000);

    [Fact]
    public void Encode_EveryPieceOfTheVectors_MergesAsTheLibraryDoes()
    {
        string? folder = TestPaths.Shared("qwen2.5");
        Assert.SkipWhen(folder is null, "shared/qwen2.5 is not here");
        string path = Path.Combine(folder, "tokenizer.json");
        TokenizerFile file = TokenizerFile.Parse(File.ReadAllBytes(path), path);
        Tokenizer tokenizer = new(file);
        LongPieceMerger merger = new(file.Vocabulary, file.Merges);
        foreach (string text in VectorFile.Read(Path.Combine(folder, "encode-vectors.jsonl.gz")).Select(line => line.GetProperty("text").GetString()!))
        {
            string normalized = CanonicalComposition.Normalize(text);
            List<int> ids = [];
            foreach ((int offset, int length) in file.PreTokenizer.PreTokenize(normalized))
            {
                merger.Encode(Encoding.UTF8.GetBytes(normalized, offset, length), ids);
            }

            Assert.Equal(tokenizer.Encode(text), ids);
        }
    }

    private static List<(string Left, string Right)> Grow((int Left, int Right)[] choices)
    {
        List<string> tokens = [.. Letters.Select(letter => letter.ToString())];
        HashSet<(string, string)> merges = [];
        foreach ((int left, int right) in choices)
        {
            (string, string) merge = (tokens[left % tokens.Count], tokens[right % tokens.Count]);
            if (merges.Add(merge))
            {
                tokens.Add(merge.Item1 + merge.Item2);
            }
        }

        return [.. merges];
    }

    private static Dictionary<string, int> Vocabulary(List<(string Left, string Right)> merges)
    {
        Dictionary<string, int> vocabulary = [];
        foreach (string token in ByteLevelAlphabet.Characters.Select(character => character.ToString()).Concat(merges.Select(merge => merge.Left + merge.Right)))
        {
            vocabulary.TryAdd(token, vocabulary.Count);
        }

        return vocabulary;
    }

    private static List<string> Define(string text, List<(string Left, string Right)> merges)
    {
        List<string> tokens = [.. text.Select(letter => letter.ToString())];
        while (true)
        {
            (int Rank, int Place) best = Enumerable.Range(0, tokens.Count - 1)
                .Select(place => (Rank: merges.IndexOf((tokens[place], tokens[place + 1])), Place: place))
                .Where(found => found.Rank >= 0)
                .DefaultIfEmpty((Rank: -1, Place: -1))
                .Min();
            if (best.Rank < 0)
            {
                return tokens;
            }

            tokens[best.Place] += tokens[best.Place + 1];
            tokens.RemoveAt(best.Place + 1);
        }
    }
}
