namespace ToolN1.Training.Evaluation.Harness;

/// <summary>A model that answers at temperature 0, many questions at once.</summary>
public interface IEvaluationModel
{
    /// <summary>Answers one question. Safe to call from any thread.</summary>
    /// <exception cref="EvaluationModelException">No answer after all retries.</exception>
    Task<EvaluationReply> AnswerAsync(BenchmarkCase question, EvaluationMode mode, CancellationToken cancellationToken);
}
