namespace ToolN1.Engine.Sampling;

/// <summary>
/// What choosing the next token of one sequence depends on beside the logits: parameters, generator, and how often each
/// token was generated. Travels with the sequence.
/// </summary>
internal sealed class SamplerState
{
    private readonly Dictionary<int, int> _generatedCounts = [];
    private readonly HashSet<int> _stopIds;
    private readonly HashSet<int> _maskedBeforeMinimum;

    /// <summary>Creates the state of a sequence that has generated nothing.</summary>
    /// <param name="parameters">Validated parameters.</param>
    /// <param name="promptTokenIds">The prompt; the repetition penalty counts it.</param>
    /// <param name="endOfSequenceIds">The model's own stop ids.</param>
    /// <param name="seed">Seed of the generator.</param>
    public SamplerState(
        SamplingParameters parameters, IReadOnlyList<int> promptTokenIds, IReadOnlyList<int> endOfSequenceIds, long seed)
    {
        Parameters = parameters;
        Generator = new Xoshiro256(seed);
        _stopIds = [.. parameters.StopTokenIds];
        _maskedBeforeMinimum = [.. parameters.StopTokenIds, .. endOfSequenceIds];
        if (!parameters.IgnoreEndOfSequence)
        {
            _stopIds.UnionWith(endOfSequenceIds);
        }

        PromptIds = parameters.RepetitionPenalty == 1 ? new HashSet<int>() : new HashSet<int>(promptTokenIds);
    }

    /// <summary>How to choose.</summary>
    public SamplingParameters Parameters { get; }

    /// <summary>The sequence's own random generator; one draw a sampled token, none when greedy.</summary>
    public Xoshiro256 Generator { get; }

    /// <summary>Distinct prompt ids; empty when no penalty asks for them.</summary>
    public IReadOnlySet<int> PromptIds { get; }

    /// <summary>How often each token was generated.</summary>
    public IReadOnlyDictionary<int, int> GeneratedCounts => _generatedCounts;

    /// <summary>Ids that may not be sampled now, because too few tokens were generated.</summary>
    public IReadOnlyCollection<int> MaskedIds => GeneratedTotal < Parameters.MinNewTokens ? _maskedBeforeMinimum : [];

    private int GeneratedTotal { get; set; }

    /// <summary>True when this id ends the sequence.</summary>
    public bool IsStop(int token) => _stopIds.Contains(token);

    /// <summary>Notes a generated token.</summary>
    public void Record(int token)
    {
        _generatedCounts[token] = _generatedCounts.GetValueOrDefault(token) + 1;
        GeneratedTotal++;
    }
}
