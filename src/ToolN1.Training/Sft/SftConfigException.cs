namespace ToolN1.Training.Sft;

/// <summary>A training configuration that cannot be used; the message names file and field.</summary>
public sealed class SftConfigException(string file, string problem, Exception? inner = null)
    : Exception($"{file}: {problem}", inner)
{
    /// <summary>The file.</summary>
    public string File { get; } = file;
}
