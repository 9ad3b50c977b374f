using System.Runtime.CompilerServices;
using System.Text;
using ToolN1.Api.Contracts;
using ToolN1.Engine;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Tokenization;

namespace ToolN1.Api.Streaming;

/// <summary>Runs raw prompts and turns the engine's ids into text and log-probabilities.</summary>
internal sealed class CompletionText(IInferenceEngine engine, Tokenizer tokenizer)
{
    /// <summary>Queues generation number <paramref name="index"/> of a call (prompts times choices) and returns its pieces.</summary>
    /// <exception cref="EngineOverloadedException">The queue is full.</exception>
    public IAsyncEnumerable<CompletionPiece> Generate(CompletionCall call, int index, string requestId, CancellationToken cancellationToken)
    {
        int[] prompt = call.Prompts[index / call.Choices];
        GenerationRequest request = new()
        {
            RequestId = requestId,
            PromptTokenIds = prompt,
            MaxNewTokens = call.MaxNewTokens,
            Sampling = SamplingBinder.ForChoice(call.Sampling, index % call.Choices),
            WeightVersion = call.WeightVersion,
            PromptLogProbs = call.Echo ? call.LogProbs : null,
            CacheSalt = call.CacheSalt,
        };
        return ReadAsync(engine.Generate(request, cancellationToken), call, prompt, cancellationToken);
    }

    private async IAsyncEnumerable<CompletionPiece> ReadAsync(
        IAsyncEnumerable<GenerationUpdate> updates, CompletionCall call, int[] prompt, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        IncrementalDetokenizer detokenizer = new(tokenizer);
        StopTextMatcher stops = new(call.Stop);
        CompletionLogProbsBuilder logProbs = new(tokenizer);
        int generated = 0;
        int cached = 0;
        bool first = true;
        await foreach (GenerationUpdate update in updates.WithCancellation(cancellationToken))
        {
            string text = "";
            if (first)
            {
                first = false;
                cached = update.CachedPromptTokens;
                text = call.Echo ? Echo(prompt, update, detokenizer, logProbs) : "";
            }

            for (int i = 0; i < update.TokenIds.Count && !stops.Stopped; i++)
            {
                int id = update.TokenIds[i];
                generated++;
                string added = tokenizer.IsSpecial(id) || id == update.StopTokenId ? "" : detokenizer.Append(id);
                if (update.LogProbs is not null)
                {
                    logProbs.Add(id, update.LogProbs[i]);
                }

                logProbs.Advance(added);
                text += stops.Append(added);
            }

            FinishReason? reason = stops.Stopped ? FinishReason.Stop : update.FinishReason;
            if (reason is not null && !stops.Stopped)
            {
                text += stops.Append(detokenizer.Flush());
                text += stops.Flush();
            }

            yield return new CompletionPiece(
                text,
                call.LogProbs is null ? null : logProbs.Take(),
                reason is FinishReason ended ? new CompletionEnd(ended, generated, cached) : null);
            if (reason is not null)
            {
                // Leaving the enumeration ends the sequence where a stop text was met.
                yield break;
            }
        }
    }

    private static string Echo(int[] prompt, GenerationUpdate update, IncrementalDetokenizer detokenizer, CompletionLogProbsBuilder logProbs)
    {
        StringBuilder text = new();
        for (int i = 0; i < prompt.Length; i++)
        {
            if (update.PromptLogProbs is not null)
            {
                logProbs.Add(prompt[i], update.PromptLogProbs[i]);
            }

            string added = detokenizer.Append(prompt[i]);
            logProbs.Advance(added);
            text.Append(added);
        }

        return text.ToString();
    }
}
