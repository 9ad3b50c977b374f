using ToolN1.Engine.Cache;
using ToolN1.Engine.Execution;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Scheduling;

namespace ToolN1.Engine.Tests.Execution;

/// <summary>
/// Decodes tokens of a test's choice: prompts are prefilled, then each further token is a decode step over the paged cache, as
/// in the engine's loop, but for which token comes next.
/// </summary>
internal static class ForcedDecoding
{
    /// <summary>Runs sequences side by side.</summary>
    /// <param name="runner">Computes; stays the caller's.</param>
    /// <param name="plan">Its limits.</param>
    /// <param name="vocabulary">Width of the logits.</param>
    /// <param name="sequences">Prompts and the tokens to feed after each.</param>
    public static Fed Run(ModelRunner runner, EnginePlan plan, int vocabulary, IReadOnlyList<(int[] Prompt, int[] Then)> sequences)
    {
        SamplingParameters scored = SamplingParameters.Greedy with { TopLogProbs = vocabulary, IgnoreEndOfSequence = true };
        BlockAllocator allocator = new(plan.Blocks);
        Scheduler scheduler = new(new SchedulerLimits(plan.MaxSequences, plan.MaxBatchedTokens), allocator, prefixCache: null);
        Dictionary<Sequence, int> numbers = [];
        foreach ((int[] prompt, int[] then) in sequences)
        {
            GenerationRequest request = EngineHarness.Request(prompt, then.Length + 1, scored);
            Sequence sequence = new(request, new SamplerState(scored, prompt, [], seed: 0), plan.BlockSize);
            numbers.Add(sequence, numbers.Count);
            scheduler.Add(sequence);
        }

        List<Dictionary<int, float>>[] scores = [.. sequences.Select(_ => new List<Dictionary<int, float>>())];
        int mostTogether = 0;
        while (scheduler.RunningCount + scheduler.WaitingCount > 0)
        {
            ScheduledBatch batch = scheduler.Schedule();
            mostTogether = Math.Max(mostTogether, batch.Items.Count(item => item.Count == 1 && item.Start >= item.Sequence.PromptLength));
            IReadOnlyList<StepResult> results = runner.Execute(batch);
            scheduler.Complete(batch);
            foreach (StepResult result in results)
            {
                Assert.Null(result.Error);
                if (result.Token is { LogProb: { } logProb })
                {
                    int number = numbers[result.Sequence];
                    scores[number].Add(logProb.Top.ToDictionary(top => top.TokenId, top => top.LogProb));
                    if (scores[number].Count > sequences[number].Then.Length)
                    {
                        scheduler.Remove(result.Sequence);
                    }
                    else
                    {
                        result.Sequence.Append(sequences[number].Then[scores[number].Count - 1]);
                    }
                }
            }
        }

        scheduler.CheckIntegrity();
        Assert.Equal(0, allocator.UsedBlocks);
        return new Fed(scores, mostTogether);
    }

    /// <summary>What came of it.</summary>
    /// <param name="Scores">Of each sequence, log-probabilities of the whole vocabulary after its prompt, then after each token fed.</param>
    /// <param name="MostTogether">Sequences of which one step decoded a token, at most.</param>
    internal sealed record Fed(IReadOnlyList<IReadOnlyList<IReadOnlyDictionary<int, float>>> Scores, int MostTogether);
}
