using System.Runtime.CompilerServices;
using ToolN1.Engine;

namespace ToolN1.TestSupport;

/// <summary>An engine that answers every request with the same ids, in updates of the given sizes.</summary>
/// <param name="model">What it claims to serve; its length limits the answer.</param>
/// <param name="answer">The ids; one of <see cref="ModelInfo.EndOfSequenceIds"/> or of the request's stop ids ends it early.</param>
/// <param name="updateSize">Ids in one update.</param>
public sealed class ScriptedInferenceEngine(ModelInfo model, IReadOnlyList<int> answer, int updateSize = 1) : IInferenceEngine
{
    private readonly List<GenerationRequest> _requests = [];

    /// <inheritdoc/>
    public ModelInfo Model => model;

    /// <summary>What was asked, in order.</summary>
    public IReadOnlyList<GenerationRequest> Requests => _requests;

    /// <summary>Ids handed out for the last request.</summary>
    public int Delivered { get; private set; }

    /// <summary>Whether the last request's sequence was given up before its end.</summary>
    public bool LeftEarly { get; private set; }

    /// <inheritdoc/>
    public IAsyncEnumerable<GenerationUpdate> Generate(GenerationRequest request, CancellationToken cancellationToken)
    {
        _requests.Add(request);
        return Run(request, cancellationToken);
    }

    /// <inheritdoc/>
    public EngineSnapshot Snapshot() => throw new NotSupportedException("A scripted engine has no counters.");

    private async IAsyncEnumerable<GenerationUpdate> Run(GenerationRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Delivered = 0;
        LeftEarly = true;
        int limit = Math.Min(request.MaxNewTokens, answer.Count);
        bool atLimit = request.MaxNewTokens <= answer.Count;
        while (true)
        {
            await Task.Yield();
            if (cancellationToken.IsCancellationRequested)
            {
                yield return new GenerationUpdate { TokenIds = [], FinishReason = FinishReason.Cancelled };
                yield break;
            }

            List<int> ids = [];
            int? stop = null;
            while (ids.Count < updateSize && Delivered < limit && stop is null)
            {
                int id = answer[Delivered++];
                ids.Add(id);
                stop = model.EndOfSequenceIds.Contains(id) || request.Sampling.StopTokenIds.Contains(id) ? id : null;
            }

            FinishReason? reason = stop is not null ? FinishReason.Stop : Delivered < limit ? null : atLimit ? FinishReason.Length : FinishReason.Stop;
            LeftEarly = reason is null;
            yield return new GenerationUpdate
            {
                TokenIds = ids,
                StopTokenId = stop,
                FinishReason = reason,
                CachedPromptTokens = request.PromptTokenIds.Count / 2,
                LogProbs = request.Sampling.TopLogProbs is null ? null : [.. ids.Select(id => new ToolN1.Engine.Sampling.TokenLogProb(id, -0.5f, []))],
            };
            if (reason is not null)
            {
                yield break;
            }
        }
    }
}
