namespace ToolN1.Training.Evaluation.Harness;

/// <summary>How a model is asked.</summary>
public enum EvaluationMode
{
    /// <summary>The exact text of the paper's handler, which names the tools in the system turn.</summary>
    Parity,

    /// <summary>The model's own chat format, with the tools in the tools parameter.</summary>
    Native,
}
