using CsCheck;
using ToolN1.Training.Graders;

namespace ToolN1.Training.Tests.Graders;

public sealed class TextSimilarityTests
{
    // bleu and gleu computed with NLTK 3.8, fuzzy_match and rouge from their definitions; the second and third fuzzy_match stand in rapidfuzz's documentation.
    [Theory]
    [InlineData("the cat sat on the mat", "the cat is on the mat", 0.9302325581395349, 0.293945703509473, 0.5, 0.8333333333333334, 0.6, 0.8333333333333334)]
    [InlineData("this is a test", "this is a test!", 0.9655172413793104, 0.43146827293898643, 0.6, 1.0, 1.0, 1.0)]
    [InlineData("fuzzy wuzzy was a bear", "wuzzy fuzzy was a bear", 0.9090909090909091, 0.3403088515262244, 0.5714285714285714, 1.0, 0.5, 0.8)]
    [InlineData("Tide", "Tide", 1.0, 1.0, 1.0, 1.0, 0.0, 1.0)]
    [InlineData("Tide tables", "Tide", 0.5333333333333333, 0.06754436142034707, 0.3333333333333333, 0.6666666666666666, 0.0, 0.6666666666666666)]
    [InlineData("high water at noon in Brest", "low water at dawn in Lorient", 0.6545454545454545, 0.10754421249521595, 0.2222222222222222, 0.5, 0.2, 0.5)]
    [InlineData("abc", "xyz", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)]
    [InlineData("Grüße, Welt 😀", "Grüsse Welt 😀", 0.8461538461538461, 0.21177974141341938, 0.5, 0.6666666666666666, 0.0, 0.6666666666666666)]
    [InlineData("a b", "b a", 0.3333333333333333, 0.08032423517939204, 0.6666666666666666, 1.0, 0.0, 0.5)]
    [InlineData(
        "It is a guide to action which ensures that the military always obeys the commands of the party",
        "It is a guide to action that ensures that the military will forever heed Party commands",
        0.7513812154696132, 0.41180376356915777, 0.4393939393939394, 0.7058823529411765, 0.5, 0.6470588235294118)]
    [InlineData("", "x", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)]
    [InlineData("", "", 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)]
    public void Measure_EveryMetric_IsItsLibrarys(string input, string reference, double fuzzy, double bleu, double gleu, double rouge1, double rouge2, double rougeL)
    {
        Assert.Equal(fuzzy, TextSimilarity.Measure("fuzzy_match", input, reference), 12);
        Assert.Equal(bleu, TextSimilarity.Measure("bleu", input, reference), 12);
        Assert.Equal(gleu, TextSimilarity.Measure("gleu", input, reference), 12);
        Assert.Equal(rouge1, TextSimilarity.Measure("rouge_1", input, reference), 12);
        Assert.Equal(rouge2, TextSimilarity.Measure("rouge_2", input, reference), 12);
        Assert.Equal(rougeL, TextSimilarity.Measure("rouge_l", input, reference), 12);
    }

    [Theory]
    [InlineData("rouge_3", 6, 16, 14)]
    [InlineData("rouge_4", 4, 15, 13)]
    [InlineData("rouge_5", 2, 14, 12)]
    public void Measure_LongerRuns_AreF1OfTheCommonOnes(string metric, int common, int own, int others)
    {
        const string Input = "It is a guide to action which ensures that the military always obeys the commands of the party";
        const string Reference = "It is a guide to action that ensures that the military will forever heed Party commands";

        Assert.Equal(2.0 * common / (own + others), TextSimilarity.Measure(metric, Input, Reference), 12);
    }

    [Fact]
    public void LongestCommonSubsequence_AnySequences_EqualsTheTable() =>
        Gen.Select(Gen.Int[0, 5].Array[0, 200], Gen.Int[0, 5].Array[0, 200]).Sample((a, b) => LongestCommonSubsequence.Length(a, b) == Table(a, b), iter: 50);

    private static int Table(int[] a, int[] b)
    {
        int[,] longest = new int[a.Length + 1, b.Length + 1];
        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                longest[i, j] = a[i - 1] == b[j - 1] ? longest[i - 1, j - 1] + 1 : Math.Max(longest[i - 1, j], longest[i, j - 1]);
            }
        }

        return longest[a.Length, b.Length];
    }
}
