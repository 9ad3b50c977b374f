using System.Runtime.InteropServices;
using ToolN1.Engine.Cache;
using ToolN1.Engine.Sampling;

namespace ToolN1.Engine.Scheduling;

/// <summary>
/// One request's tokens, cache blocks and sampling state. Generated tokens and the random generator survive preemption;
/// only blocks and computed positions are lost. Owned by the engine thread.
/// </summary>
internal sealed class Sequence
{
    private readonly List<int> _tokens;
    private readonly List<TokenLogProb?> _promptLogProbs = [null];
    private readonly List<TokenLogProb> _forcedLogProbs = [];

    /// <summary>Creates a waiting sequence.</summary>
    /// <param name="request">A validated request.</param>
    /// <param name="sampler">The request's sampling state.</param>
    /// <param name="blockSize">Positions in a cache block.</param>
    public Sequence(GenerationRequest request, SamplerState sampler, int blockSize)
    {
        Request = request;
        Sampler = sampler;
        _tokens = [.. request.PromptTokenIds];
        Blocks = new BlockTable(blockSize);
        if (request.Constraint is { } constraint && request.MaxNewTokens > 0)
        {
            Constraint = new SequenceConstraint(constraint.Start());
            AppendForced();
        }
    }

    /// <summary>What was asked for.</summary>
    public GenerationRequest Request { get; }

    /// <summary>The weights that compute it from beginning to end; set before it is scheduled.</summary>
    public string WeightVersion { get; set; } = string.Empty;

    /// <summary>Random generator, token counts and stop ids.</summary>
    public SamplerState Sampler { get; }

    /// <summary>What the answer is kept to, or null.</summary>
    public SequenceConstraint? Constraint { get; }

    /// <summary>Its number among all that arrived, given by the scheduler.</summary>
    public long Arrival { get; set; }

    /// <summary>Cache blocks held; empty while waiting.</summary>
    public BlockTable Blocks { get; }

    /// <summary>Prompt ids, then generated ids.</summary>
    public ReadOnlySpan<int> Tokens => CollectionsMarshal.AsSpan(_tokens);

    /// <summary>Prompt and generated tokens.</summary>
    public int TokenCount => _tokens.Count;

    /// <summary>Prompt tokens.</summary>
    public int PromptLength => Request.PromptTokenIds.Count;

    /// <summary>Tokens generated so far.</summary>
    public int GeneratedCount => _tokens.Count - PromptLength;

    /// <summary>Leading tokens whose keys and values lie in the blocks.</summary>
    public int ComputedCount { get; set; }

    /// <summary>Tokens still to compute before the next one can be sampled.</summary>
    public int RemainingCount => _tokens.Count - ComputedCount;

    /// <summary>Prompt tokens found in the prefix cache when the sequence was first admitted; null before.</summary>
    public int? CachedPromptTokens { get; set; }

    /// <summary>Keys of the leading full blocks, as far as they were needed.</summary>
    public List<PrefixKey> Keys { get; } = [];

    /// <summary>Leading blocks that were found in, or offered to, the prefix cache.</summary>
    public int RegisteredBlocks { get; set; }

    /// <summary>True when every position must pass through the model, so that cached blocks cannot stand in for it.</summary>
    public bool NeedsEveryPosition => Request.PromptLogProbs is not null;

    /// <summary>
    /// Tokens at the end that a constraint forced: not sampled, not yet reported. They are computed as one chunk, and
    /// reported with the token sampled after them.
    /// </summary>
    public int ForcedCount { get; private set; }

    /// <summary>Log-probabilities of the forced tokens as far as they are scored.</summary>
    public IReadOnlyList<TokenLogProb> ForcedLogProbs => _forcedLogProbs;

    /// <summary>The first position whose logits are still wanted; it has to be computed, whatever the cache holds.</summary>
    public int FirstPositionToRead =>
        (ForcedCount > 0 && Sampler.Parameters.TopLogProbs is not null ? _tokens.Count - ForcedCount + _forcedLogProbs.Count : _tokens.Count) - 1;

    /// <summary>Log-probabilities of the prompt's tokens as far as they are scored; null for the first.</summary>
    public IReadOnlyList<TokenLogProb?> PromptLogProbs => _promptLogProbs;

    /// <summary>True when the logits at a position are wanted to score the prompt token after it, which was not done yet.</summary>
    public bool ScoresPromptAfter(int position) =>
        Request.PromptLogProbs is not null && position + 1 < PromptLength && position + 1 >= _promptLogProbs.Count;

    /// <summary>Adds the score of the next prompt token.</summary>
    public void AddPromptLogProb(TokenLogProb logProb) => _promptLogProbs.Add(logProb);

    /// <summary>True when the logits at a position are wanted to score the forced token after it, which was not done yet.</summary>
    public bool ScoresForcedAfter(int position) =>
        position >= FirstPositionToRead && position + 1 < _tokens.Count;

    /// <summary>Adds the score of the next forced token.</summary>
    public void AddForcedLogProb(TokenLogProb logProb) => _forcedLogProbs.Add(logProb);

    /// <summary>Adds a sampled token, which reports the forced ones before it.</summary>
    public void Append(int token)
    {
        _tokens.Add(token);
        Sampler.Record(token);
        Constraint?.Accept(token);
        ForcedCount = 0;
        _forcedLogProbs.Clear();
    }

    /// <summary>
    /// Adds the tokens that the constraint leaves no choice about, none of which ends the sequence, and starts on the mask
    /// of the token after them.
    /// </summary>
    public void AppendForced()
    {
        foreach (int token in Constraint!.Forced(Request.MaxNewTokens - GeneratedCount))
        {
            if (Sampler.IsStop(token))
            {
                break;
            }

            _tokens.Add(token);
            Sampler.Record(token);
            Constraint.Accept(token);
            ForcedCount++;
        }

        Constraint.BeginMask(Request.MaxNewTokens - GeneratedCount);
    }
}
