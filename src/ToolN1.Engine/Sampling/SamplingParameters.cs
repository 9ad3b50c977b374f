namespace ToolN1.Engine.Sampling;

/// <summary>How the next token of a sequence is chosen. Ranges are checked by <see cref="Validate"/>.</summary>
public sealed record SamplingParameters
{
    /// <summary>Temperature 0, no penalties.</summary>
    public static SamplingParameters Greedy { get; } = new() { Temperature = 0 };

    /// <summary>0 is greedy; at most 2.</summary>
    public float Temperature { get; init; } = 1;

    /// <summary>Nucleus: the smallest set of tokens with at least this probability; in (0, 1].</summary>
    public float TopP { get; init; } = 1;

    /// <summary>The k likeliest tokens; 0 or -1 is off.</summary>
    public int TopK { get; init; }

    /// <summary>Tokens at least this fraction as likely as the likeliest; 0 is off.</summary>
    public float MinP { get; init; }

    /// <summary>Subtracted once from the logit of every token generated so far; [-2, 2].</summary>
    public float PresencePenalty { get; init; }

    /// <summary>Subtracted from a token's logit for each time it was generated; [-2, 2].</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>Divides positive, multiplies negative logits of tokens in prompt or answer; 1 is off; greater than 0.</summary>
    public float RepetitionPenalty { get; init; } = 1;

    /// <summary>Added to the logits of these ids; [-100, 100].</summary>
    public IReadOnlyDictionary<int, float>? LogitBias { get; init; }

    /// <summary>Seeds the request's own generator; null draws a seed.</summary>
    public long? Seed { get; init; }

    /// <summary>Ids that end the sequence beside the model's own.</summary>
    public IReadOnlyList<int> StopTokenIds { get; init; } = [];

    /// <summary>Generates through end-of-sequence ids (stop token ids still end it).</summary>
    public bool IgnoreEndOfSequence { get; init; }

    /// <summary>No end-of-sequence or stop id is sampled before this many tokens, unless a constraint leaves nothing else.</summary>
    public int MinNewTokens { get; init; }

    /// <summary>When set, log-probabilities are returned, each with this many alternatives (0 to 20).</summary>
    public int? TopLogProbs { get; init; }

    /// <summary>
    /// False: log-probabilities of the model's own distribution (OpenAI's meaning). True: of the distribution sampled
    /// from after temperature, which a trainer needs as the old policy. Tokens that a constraint forced were not sampled:
    /// theirs are of the distribution without the constraint.
    /// </summary>
    public bool TemperedLogProbs { get; init; }

    /// <summary>Throws for a value outside its range, naming the property.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public void Validate()
    {
        Check(Temperature is >= 0 and <= 2, nameof(Temperature), "between 0 and 2");
        Check(TopP is > 0 and <= 1, nameof(TopP), "greater than 0 and at most 1");
        Check(TopK >= -1, nameof(TopK), "-1 or greater");
        Check(MinP is >= 0 and <= 1, nameof(MinP), "between 0 and 1");
        Check(PresencePenalty is >= -2 and <= 2, nameof(PresencePenalty), "between -2 and 2");
        Check(FrequencyPenalty is >= -2 and <= 2, nameof(FrequencyPenalty), "between -2 and 2");
        Check(RepetitionPenalty is > 0 && float.IsFinite(RepetitionPenalty), nameof(RepetitionPenalty), "greater than 0");
        Check(MinNewTokens >= 0, nameof(MinNewTokens), "0 or greater");
        Check(TopLogProbs is null or (>= 0 and <= 20), nameof(TopLogProbs), "between 0 and 20");
        Check(LogitBias is null || LogitBias.Values.All(bias => bias is >= -100 and <= 100), nameof(LogitBias), "between -100 and 100");
    }

    private static void Check(bool holds, string name, string range)
    {
        if (!holds)
        {
            throw new ArgumentOutOfRangeException(name, $"{name} must be {range}.");
        }
    }
}
