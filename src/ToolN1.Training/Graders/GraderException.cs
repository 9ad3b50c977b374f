namespace ToolN1.Training.Graders;

/// <summary>A grader's definition cannot be used.</summary>
/// <param name="path">The field at fault, such as <c>grader.graders.name.reference</c>.</param>
/// <param name="reason">What is wrong with it.</param>
/// <param name="unsupported">True for what OpenAI's API has and this server does not do.</param>
public sealed class GraderException(string path, string reason, bool unsupported = false) : Exception($"'{path}': {reason}")
{
    /// <summary>The field at fault.</summary>
    public string Path { get; } = path;

    /// <summary>What is wrong with it.</summary>
    public string Reason { get; } = reason;

    /// <summary>Whether it is only not supported here.</summary>
    public bool Unsupported { get; } = unsupported;
}
