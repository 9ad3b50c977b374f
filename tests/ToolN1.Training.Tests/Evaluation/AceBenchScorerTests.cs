using ToolN1.Training.Evaluation;
using ToolN1.Training.Evaluation.AceBench;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Tests.Evaluation;

public sealed class AceBenchScorerTests
{
    [Fact]
    public void Score_EveryOfficialVectorInBothForms_SameVerdictAndErrorType()
    {
        AceBenchScorer scorer = new(VectorFile.Folder("acebench"));
        List<string> differences = [];
        int lines = 0;
        foreach (PyDict vector in VectorFile.Read("acebench", "checker-vectors.jsonl.gz"))
        {
            lines++;
            bool json = vector["route"].Is("json");
            EvaluationVerdict ours = json
                ? scorer.ScoreCalls(vector["category"].Text, vector["id"].Text, vector["calls"])
                : scorer.ScoreText(vector["category"].Text, vector["id"].Text, vector["completion"].Text);
            if (ours.Valid != vector["valid"].IsTruthy || ours.ErrorType != vector.OptionalText("error_type"))
            {
                differences.Add($"{vector["id"].Text} {vector["kind"].Text}: {ours}, official {PyText.Repr(vector["error_type"])}: {PyText.Str(vector[json ? "calls" : "completion"])}");
            }
        }

        Assert.True(differences.Count == 0, $"{differences.Count} of {lines}:\n{string.Join('\n', differences.Take(20))}");
        Assert.Equal(8_810, lines);
    }
}
