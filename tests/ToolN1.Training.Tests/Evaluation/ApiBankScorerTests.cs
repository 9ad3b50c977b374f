using ToolN1.Training.Evaluation;
using ToolN1.Training.Evaluation.ApiBank;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Tests.Evaluation;

public sealed class ApiBankScorerTests
{
    [Fact]
    public void Score_EveryOfficialVectorInBothForms_SameVerdictAndReason()
    {
        ApiBankScorer scorer = new(VectorFile.Folder("api-bank"));
        List<string> differences = [];
        int lines = 0;
        foreach (PyDict vector in VectorFile.Read("api-bank", "evaluator-vectors.jsonl.gz"))
        {
            lines++;
            string file = vector["file"].Text;
            int id = (int)vector["id"].Integer;
            EvaluationVerdict ours = vector["route"].Is("json")
                ? scorer.ScoreCall(file, id, vector["name"].Text, vector["arguments"].Entries)
                : scorer.ScoreText(file, id, vector["completion"].Text);
            if (ours.Valid != vector["correct"].IsTruthy || ours.ErrorType != vector.OptionalText("reason"))
            {
                differences.Add($"{file} {id} {vector["kind"].Text}: {ours}, official {PyText.Repr(vector["reason"])}: {PyText.Repr(PyValue.Of(vector))}");
            }
        }

        Assert.True(differences.Count == 0, $"{differences.Count} of {lines}:\n{string.Join('\n', differences.Take(20))}");
        Assert.Equal(8_252, lines);
    }
}
