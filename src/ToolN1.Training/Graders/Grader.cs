namespace ToolN1.Training.Graders;

/// <summary>
/// Scores a model's output against an item of data: OpenAI's grader types, as far as they can be computed exactly here, and
/// our <c>tool_call</c>. Immutable and thread-safe.
/// </summary>
public abstract class Grader
{
    private protected Grader(string type, string name)
    {
        Type = type;
        Name = name;
    }

    /// <summary>OpenAI's type, or <c>tool_call</c>.</summary>
    public string Type { get; }

    /// <summary>The grader's name.</summary>
    public string Name { get; }

    /// <summary>The texts with places for values.</summary>
    internal abstract IEnumerable<GraderTemplate> Templates { get; }

    /// <summary>Scores one sample. Never throws for what sample or item hold.</summary>
    public abstract GraderResult Run(GraderSample sample);
}
