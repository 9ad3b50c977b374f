namespace ToolN1.Training.Packing;

/// <summary>
/// Groups of rows laid one after the other into one flattened batch, on the host: ids, positions, who sees whom, and which
/// predictions count how much.
/// </summary>
internal sealed class PackedBatch
{
    private readonly List<long> _ids = [];
    private readonly List<long> _positions = [];
    private readonly List<AttentionSpan> _spans = [];
    private readonly List<long> _sources = [];
    private readonly List<long> _targets = [];
    private readonly List<float> _weights = [];
    private readonly List<int> _answerLengths = [];

    /// <summary>Lays out groups.</summary>
    /// <param name="groups">At least one, each with the seed that draws its prompt tokens, so that they do not depend on what lies beside it.</param>
    /// <param name="promptWeight">Loss weight of a prompt token.</param>
    /// <param name="promptFraction">Fraction of prompt tokens that count.</param>
    public PackedBatch(IReadOnlyList<(RowGroup Rows, int Seed)> groups, double promptWeight, double promptFraction)
    {
        // 1. Tokens, positions and spans; answers' predictions first, so that they are the head of the lists.
        List<(long Source, long Target)> counted = [];
        foreach ((RowGroup group, int seed) in groups)
        {
            List<(long Source, long Target)> prompts = [];
            int start = _ids.Count;
            if (group.Prefix.Length > 0)
            {
                AddTokens(group.Prefix, 0);
                AddSpans(start, context: 0, start, group.Prefix.Length);
                AddPredictions(prompts, group.Prefix, start, previous: -1);
            }

            foreach (RowRest row in group.Rows)
            {
                int rowStart = _ids.Count;
                int previous = group.Prefix.Length > 0 ? start + group.Prefix.Length - 1 : -1;
                AddTokens(row.Prompt, group.Prefix.Length);
                AddPredictions(prompts, row.Prompt, rowStart, previous);
                int answerStart = _ids.Count;
                AddTokens(row.Answer, group.Prefix.Length + row.Prompt.Length);
                AddSpans(start, group.Prefix.Length, rowStart, row.Prompt.Length + row.Answer.Length);

                // The mask follows from where a token came from: exactly the answer's ids are taught.
                List<(long Source, long Target)> answer = [];
                AddPredictions(answer, row.Answer, answerStart, row.Prompt.Length > 0 ? answerStart - 1 : previous);
                if (answer.Count != row.Answer.Length)
                {
                    throw new InvalidOperationException($"{answer.Count} of {row.Answer.Length} answer tokens are predicted; a row needs a prompt.");
                }

                _answerLengths.Add(answer.Count);
                AddLoss(answer, 1);
            }

            Random random = new(seed);
            counted.AddRange(promptWeight > 0 ? prompts.Where(_ => random.NextDouble() < promptFraction) : []);
        }

        AnswerTokens = _sources.Count;
        if (AnswerTokens == 0)
        {
            throw new InvalidOperationException("The loss mask is empty: no answer token is taught.");
        }

        // 2. A few prompt positions behind them.
        AddLoss(counted, (float)promptWeight);

        TotalWeight = _weights.Sum(weight => (double)weight);
    }

    /// <summary>[tokens].</summary>
    public long[] Ids => [.. _ids];

    /// <summary>[tokens]: within the row, the prefix counted.</summary>
    public long[] Positions => [.. _positions];

    /// <summary>Who sees whom; covers every token once.</summary>
    public IReadOnlyList<AttentionSpan> Spans => _spans;

    /// <summary>[predictions]: the token whose hidden state predicts. Answers come first.</summary>
    public long[] Sources => [.. _sources];

    /// <summary>[predictions]: the id to predict.</summary>
    public long[] Targets => [.. _targets];

    /// <summary>[predictions]: weight of each.</summary>
    public float[] Weights => [.. _weights];

    /// <summary>Predictions of answer tokens.</summary>
    public int AnswerTokens { get; }

    /// <summary>Answer tokens of each row, in order.</summary>
    public IReadOnlyList<int> AnswerLengths => _answerLengths;

    /// <summary>Tokens in the batch.</summary>
    public int TokenCount => _ids.Count;

    /// <summary>Sum of the weights.</summary>
    public double TotalWeight { get; }

    private void AddTokens(int[] ids, int firstPosition)
    {
        for (int i = 0; i < ids.Length; i++)
        {
            _ids.Add(ids[i]);
            _positions.Add(firstPosition + i);
        }
    }

    /// <summary>Cuts long runs, so that the part above the causal diagonal that is computed in vain stays small.</summary>
    private void AddSpans(int groupStart, int context, int start, int length)
    {
        for (int done = 0; done < length; done += AttentionSpan.LongestPiece)
        {
            _spans.Add(new AttentionSpan(groupStart, context, start, done, Math.Min(AttentionSpan.LongestPiece, length - done)));
        }
    }

    private static void AddPredictions(List<(long Source, long Target)> list, int[] ids, int start, int previous)
    {
        for (int i = 0; i < ids.Length; i++)
        {
            int source = i == 0 ? previous : start + i - 1;
            if (source >= 0)
            {
                list.Add((source, ids[i]));
            }
        }
    }

    private void AddLoss(List<(long Source, long Target)> predictions, float weight)
    {
        foreach ((long source, long target) in predictions)
        {
            _sources.Add(source);
            _targets.Add(target);
            _weights.Add(weight);
        }
    }
}
