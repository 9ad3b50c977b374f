using ToolN1.Training.Evaluation;

namespace ToolN1.Training.Tests.Evaluation;

public sealed class OutputScorerTests
{
    [Fact]
    public void Write_EachBenchmark_UsesItsVerdictField()
    {
        OutputScorer reward = OutputScorer.Create("reward", "");
        EvaluationVerdict verdict = reward.Score("""{"completion": "<think></think><tool_call>[]</tool_call>", "ground_truth": "[]", "reward": 0}""");

        Assert.Equal("""{"reward":1,"error_type":null}""", reward.Write(verdict));
        Assert.Equal("""{"valid":false,"error_type":"value_error:string"}""", OutputScorer.Create("bfcl", "").Write(EvaluationVerdict.Wrong("value_error:string", "f.a")));
    }

    [Theory]
    [InlineData("[]", "not a JSON object")]
    [InlineData("""{"completion": "x"}""", "'ground_truth'")]
    [InlineData("""{"completion": 1, "ground_truth": "[]"}""", "'completion'")]
    public void Score_MalformedLine_NamesTheField(string line, string named)
    {
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => OutputScorer.Create("reward", "").Score(line));

        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }
}
