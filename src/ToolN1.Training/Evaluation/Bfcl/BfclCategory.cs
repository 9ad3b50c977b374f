namespace ToolN1.Training.Evaluation.Bfcl;

/// <summary>What a category's name implies, by the official rule of substrings.</summary>
internal sealed record BfclCategory(string Name)
{
    public bool IsParallel { get; } = Name.Contains("parallel", StringComparison.Ordinal);

    public bool IsMultiple { get; } = Name.Contains("multiple", StringComparison.Ordinal);

    /// <summary>No function fits: a well-formed call is the error.</summary>
    public bool IsIrrelevance { get; } = Name.Contains("irrelevance", StringComparison.Ordinal);

    /// <summary>Some function fits: any well-formed call is right.</summary>
    public bool IsRelevance { get; } = Name.Contains("relevance", StringComparison.Ordinal) && !Name.Contains("irrelevance", StringComparison.Ordinal);

    public bool IsLive { get; } = Name.StartsWith("live_", StringComparison.Ordinal);

    public BfclLanguage Language { get; } = Name.Contains("javascript", StringComparison.Ordinal) ? BfclLanguage.JavaScript
        : Name.Contains("java", StringComparison.Ordinal) ? BfclLanguage.Java
        : BfclLanguage.Python;
}
