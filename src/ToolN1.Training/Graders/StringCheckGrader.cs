namespace ToolN1.Training.Graders;

/// <summary>OpenAI's <c>string_check</c>: 1 or 0.</summary>
internal sealed class StringCheckGrader(string name, GraderTemplate input, GraderTemplate reference, string operation) : Grader("string_check", name)
{
    /// <summary>The operations.</summary>
    public static IReadOnlyList<string> Operations { get; } = ["eq", "ne", "like", "ilike"];

    /// <inheritdoc/>
    internal override IEnumerable<GraderTemplate> Templates => [input, reference];

    /// <inheritdoc/>
    public override GraderResult Run(GraderSample sample)
    {
        GraderErrors errors = input.Fill(sample, out string given) | reference.Fill(sample, out string wanted);
        if (errors != GraderErrors.None)
        {
            return GraderResult.Failed(errors);
        }

        bool right = operation switch
        {
            "eq" => given == wanted,
            "ne" => given != wanted,
            "like" => given.Contains(wanted, StringComparison.Ordinal),
            _ => given.Contains(wanted, StringComparison.OrdinalIgnoreCase),
        };
        return new GraderResult(right ? 1 : 0);
    }
}
