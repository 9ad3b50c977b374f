using System.Text.Json;
using ToolN1.Engine.Chat;
using ToolN1.Training.Data;
using ToolN1.Training.Rewards;

namespace ToolN1.Training.Graders;

/// <summary>A grader as the reward of training and of held-out rows. Thread-safe.</summary>
/// <remarks>
/// What the answer lacks (a call that a template names) is worth 0, as for <see cref="Grader.Run"/>. What the grader cannot
/// do (a formula without a value, a text too long to compare) leaves the sample unscored: it says nothing about the answer.
/// </remarks>
/// <param name="grader">The grader.</param>
/// <param name="format">Reads the answer's calls.</param>
/// <param name="stops">Tokens that end an answer, as text: at the answer's end they are no part of it.</param>
public sealed class GraderReward(Grader grader, IChatFormat format, IReadOnlyList<string> stops) : IReward
{
    /// <summary>An answer that every grader can read, to find out what a row lacks.</summary>
    private const string Probe = "<think></think><tool_call>[]</tool_call>";

    /// <inheritdoc/>
    public RewardScore Score(RewardSample sample, CancellationToken cancellationToken)
    {
        using JsonDocument item = JsonDocument.Parse(TrainingRowWriter.ToItem(sample.Row));
        GraderResult result = grader.Run(new GraderSample(WithoutStops(sample.Completion), item.RootElement, format));
        GraderErrors broken = result.Errors & (GraderErrors.Formula | GraderErrors.Other);
        return broken == GraderErrors.None
            ? new RewardScore(result.Reward, [.. (result.SubRewards.Count > 0 ? result.SubRewards : new Dictionary<string, double> { [grader.Name] = result.Reward })
                .Select(part => new RewardComponent(part.Key, part.Value))])
            : throw new InvalidOperationException(broken.HasFlag(GraderErrors.Formula) ? "the grader's formula has no finite value" : "the grader cannot compare the answer with its reference");
    }

    /// <summary>What keeps a row from being graded, whatever the answer; null when nothing does.</summary>
    public string? Fault(TrainingRow row)
    {
        using JsonDocument item = JsonDocument.Parse(TrainingRowWriter.ToItem(row));
        GraderSample sample = new(Probe, item.RootElement, format);
        return grader.Templates.Select(template => template.MissingItem(sample)).OfType<string>().FirstOrDefault() is string missing ? $"it has no {missing}, which the grader reads"
            : grader.Run(sample).Errors.HasFlag(GraderErrors.Other) ? "the grader's reference is not a JSON list of calls, or too long to compare"
            : null;
    }

    private string WithoutStops(string completion)
    {
        while (stops.FirstOrDefault(stop => completion.EndsWith(stop, StringComparison.Ordinal)) is string stop)
        {
            completion = completion[..^stop.Length];
        }

        return completion;
    }
}
