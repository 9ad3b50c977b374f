namespace ToolN1.Training.Sft;

/// <summary>Sees a supervised run go by. Called on the training thread, in order.</summary>
public interface ISftObserver
{
    /// <summary>The model is ready; the run begins or goes on.</summary>
    /// <param name="parameters">Parameters of the model.</param>
    /// <param name="doneSteps">Steps done before (0 for a new run).</param>
    /// <param name="totalSteps">Steps in all.</param>
    void Started(long parameters, int doneSteps, int totalSteps);

    /// <summary>A phase's data was read.</summary>
    /// <param name="phase">Its name.</param>
    /// <param name="summary">What was read and what was left out.</param>
    void PhaseLoaded(string phase, SftDatasetSummary summary);

    /// <summary>A step was done.</summary>
    /// <param name="step">Step, from 1.</param>
    void Stepped(int step);

    /// <summary>A checkpoint was written.</summary>
    /// <param name="step">Steps that it holds.</param>
    /// <param name="folder">Its folder.</param>
    void Saved(int step, string folder);

    /// <summary>Metrics of the steps since the last call; also a line of metrics.jsonl.</summary>
    /// <param name="result">Their means.</param>
    void Measured(SftStepResult result);
}
