using ToolN1.Training.Evaluation;
using ToolN1.Training.Evaluation.Bfcl;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Tests.Evaluation;

public sealed class BfclScorerTests
{
    [Fact]
    public void Score_EveryOfficialVector_SameVerdictAndErrorType()
    {
        BfclScorer scorer = new(VectorFile.Folder("bfcl"));
        List<string> differences = [];
        int lines = 0;
        foreach (PyDict vector in VectorFile.Read("bfcl", "checker-vectors.jsonl.gz"))
        {
            lines++;
            EvaluationVerdict ours = scorer.Score(vector["category"].Text, (int)vector["index"].Integer, vector["completion"].Text);
            if (ours.Valid != vector["valid"].IsTruthy || ours.ErrorType != vector.OptionalText("error_type"))
            {
                differences.Add($"{vector["id"].Text} {vector["kind"].Text}: {ours}, official {PyText.Repr(vector["error_type"])}: {vector["completion"].Text}");
            }
        }

        Assert.True(differences.Count == 0, $"{differences.Count} of {lines}:\n{string.Join('\n', differences.Take(20))}");
        Assert.Equal(36_202, lines);
    }
}
