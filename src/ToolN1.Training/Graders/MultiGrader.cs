namespace ToolN1.Training.Graders;

/// <summary>OpenAI's <c>multi</c>: a formula over the rewards of named graders.</summary>
internal sealed class MultiGrader(string name, IReadOnlyDictionary<string, Grader> graders, GraderFormula formula) : Grader("multi", name)
{
    /// <inheritdoc/>
    internal override IEnumerable<GraderTemplate> Templates => graders.Values.SelectMany(grader => grader.Templates);

    /// <inheritdoc/>
    public override GraderResult Run(GraderSample sample)
    {
        Dictionary<string, double> rewards = new(StringComparer.Ordinal);
        GraderErrors errors = GraderErrors.None;
        foreach ((string key, Grader grader) in graders)
        {
            GraderResult part = grader.Run(sample);
            rewards[key] = part.Reward;
            errors |= part.Errors;
        }

        double reward = formula.Evaluate(rewards);
        errors |= double.IsFinite(reward) ? GraderErrors.None : GraderErrors.Formula;
        return new GraderResult(double.IsFinite(reward) ? reward : 0, errors) { SubRewards = rewards };
    }
}
