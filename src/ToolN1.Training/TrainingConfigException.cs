namespace ToolN1.Training;

/// <summary>A training configuration that cannot be used; the message names file and field.</summary>
public sealed class TrainingConfigException(string file, string problem, Exception? inner = null)
    : Exception($"{file}: {problem}", inner)
{
    /// <summary>The file.</summary>
    public string File { get; } = file;

    /// <summary>What is wrong, without the file.</summary>
    public string Problem { get; } = problem;
}
