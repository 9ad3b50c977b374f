namespace ToolN1.Training.Data;

/// <summary>A rows file that cannot be used. The message names file, line and reason.</summary>
public sealed class TrainingDataException(string file, int line, string reason, Exception? inner = null)
    : Exception($"{file}:{line}: {reason}", inner)
{
    /// <summary>The file.</summary>
    public string File { get; } = file;

    /// <summary>The line, from 1.</summary>
    public int Line { get; } = line;

    /// <summary>What is wrong with it.</summary>
    public string Reason { get; } = reason;
}
