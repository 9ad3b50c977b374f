namespace ToolN1.Training.Evaluation.Bfcl;

/// <summary>The language whose literals a category's arguments are written in.</summary>
internal enum BfclLanguage
{
    Python,
    Java,
    JavaScript,
}
