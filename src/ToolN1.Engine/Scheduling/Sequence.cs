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
    }

    /// <summary>What was asked for.</summary>
    public GenerationRequest Request { get; }

    /// <summary>The weights that compute it from beginning to end; set before it is scheduled.</summary>
    public string WeightVersion { get; set; } = string.Empty;

    /// <summary>Random generator, token counts and stop ids.</summary>
    public SamplerState Sampler { get; }

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

    /// <summary>Log-probabilities of the prompt's tokens as far as they are scored; null for the first.</summary>
    public IReadOnlyList<TokenLogProb?> PromptLogProbs => _promptLogProbs;

    /// <summary>True when the logits at a position are wanted to score the prompt token after it, which was not done yet.</summary>
    public bool ScoresPromptAfter(int position) =>
        Request.PromptLogProbs is not null && position + 1 < PromptLength && position + 1 >= _promptLogProbs.Count;

    /// <summary>Adds the score of the next prompt token.</summary>
    public void AddPromptLogProb(TokenLogProb logProb) => _promptLogProbs.Add(logProb);

    /// <summary>Adds a sampled token.</summary>
    public void Append(int token) => _tokens.Add(token);
}
