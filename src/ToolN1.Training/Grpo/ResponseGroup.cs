using ToolN1.Training.Packing;

namespace ToolN1.Training.Grpo;

/// <summary>A response as the update sees it.</summary>
/// <param name="Tokens">Ids, through the one that ended it.</param>
/// <param name="Sampled">Tempered log-probability of each, as the engine gave it.</param>
/// <param name="Advantage">Of the whole response.</param>
internal sealed record TrainedResponse(int[] Tokens, float[] Sampled, double Advantage)
{
    /// <summary>Weight of each token in the mini-batch's sum.</summary>
    public double TokenWeight { get; set; }

    /// <summary>Log-probabilities under the policy before the step's first update; null where the present ones are those.</summary>
    public float[]? Old { get; set; }

    /// <summary>Log-probabilities under the frozen initial policy, where they are wanted.</summary>
    public float[]? Reference { get; set; }
}

/// <summary>A prompt and the responses to it that are learnt from.</summary>
/// <param name="Prompt">Ids.</param>
/// <param name="Responses">At least one.</param>
internal sealed record ResponseGroup(int[] Prompt, IReadOnlyList<TrainedResponse> Responses);

/// <summary>Some groups packed for one pass: each prompt once, its responses behind it.</summary>
internal sealed class ResponseBatch
{
    private ResponseBatch(IReadOnlyList<ResponseGroup> groups)
    {
        Responses = [.. groups.SelectMany(group => group.Responses)];
        Packed = new PackedBatch(
            [.. groups.Select(group => (new RowGroup(group.Prompt, [.. group.Responses.Select(response => new RowRest([], response.Tokens))]), 0))],
            promptWeight: 0, promptFraction: 0);
    }

    /// <summary>The responses, in the order of the predictions.</summary>
    public IReadOnlyList<TrainedResponse> Responses { get; }

    /// <summary>Their tokens.</summary>
    public PackedBatch Packed { get; }

    /// <summary>Divides groups into batches of at most so many tokens; a group with more is divided, down to single responses.</summary>
    public static List<ResponseBatch> Split(IReadOnlyList<ResponseGroup> groups, int tokenBudget)
    {
        List<ResponseBatch> batches = [];
        List<ResponseGroup> pending = [];
        int tokens = 0;
        foreach (ResponseGroup part in groups.SelectMany(group => Divide(group, tokenBudget)))
        {
            int size = part.Prompt.Length + part.Responses.Sum(response => response.Tokens.Length);
            if (pending.Count > 0 && tokens + size > tokenBudget)
            {
                batches.Add(new ResponseBatch(pending));
                pending = [];
                tokens = 0;
            }

            pending.Add(part);
            tokens += size;
        }

        if (pending.Count > 0)
        {
            batches.Add(new ResponseBatch(pending));
        }

        return batches;
    }

    private static IEnumerable<ResponseGroup> Divide(ResponseGroup group, int tokenBudget)
    {
        List<TrainedResponse> pending = [];
        int tokens = group.Prompt.Length;
        foreach (TrainedResponse response in group.Responses)
        {
            if (pending.Count > 0 && tokens + response.Tokens.Length > tokenBudget)
            {
                yield return group with { Responses = pending };
                pending = [];
                tokens = group.Prompt.Length;
            }

            pending.Add(response);
            tokens += response.Tokens.Length;
        }

        yield return group with { Responses = pending };
    }
}
