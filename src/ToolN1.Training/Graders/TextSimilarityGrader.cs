namespace ToolN1.Training.Graders;

/// <summary>OpenAI's <c>text_similarity</c>, for the metrics of <see cref="TextSimilarity"/>: 0 to 1.</summary>
internal sealed class TextSimilarityGrader(string name, GraderTemplate input, GraderTemplate reference, string metric) : Grader("text_similarity", name)
{
    /// <inheritdoc/>
    internal override IEnumerable<GraderTemplate> Templates => [input, reference];

    /// <inheritdoc/>
    public override GraderResult Run(GraderSample sample)
    {
        GraderErrors errors = input.Fill(sample, out string given) | reference.Fill(sample, out string wanted);
        if (errors == GraderErrors.None && Math.Max(given.Length, wanted.Length) > TextSimilarity.MaxLength)
        {
            errors = GraderErrors.Other;
        }

        return errors == GraderErrors.None ? new GraderResult(TextSimilarity.Measure(metric, given, wanted)) : GraderResult.Failed(errors);
    }
}
