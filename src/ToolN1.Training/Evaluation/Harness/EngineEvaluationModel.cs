using ToolN1.Engine;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Tokenization;

namespace ToolN1.Training.Evaluation.Harness;

/// <summary>A checkpoint served in this process. Greedy; the answer ends at the model's own end tokens or its turn's end.</summary>
/// <param name="engine">The engine; stays the caller's.</param>
/// <param name="tokenizer">The checkpoint's tokenizer.</param>
/// <param name="format">The chat format of native mode.</param>
/// <param name="maxNewTokens">Most tokens of an answer; less where the model's length ends before.</param>
public sealed class EngineEvaluationModel(IInferenceEngine engine, Tokenizer tokenizer, IChatFormat format, int maxNewTokens) : IEvaluationModel
{
    /// <summary>Version of the weights to ask; null for the one that is live at each question.</summary>
    public string? WeightVersion { get; init; }

    /// <summary>How questions queue beside other requests.</summary>
    public RequestPriority Priority { get; init; }

    /// <summary>Waits while the engine's queue is full.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    private readonly int[] _stopTokens = format.StopTokens.Append("<|im_end|>").Distinct(StringComparer.Ordinal)
        .Select(tokenizer.FindAddedToken).OfType<int>().ToArray();

    /// <inheritdoc/>
    public async Task<EvaluationReply> AnswerAsync(BenchmarkCase question, EvaluationMode mode, CancellationToken cancellationToken)
    {
        int[] prompt = mode == EvaluationMode.Parity
            ? tokenizer.EncodePrompt(question.ParityText)
            : format.Render(question.NativeMessages, question.Tools, addGenerationPrompt: true).Encode(tokenizer);
        int room = engine.Model.MaxModelLength - prompt.Length;
        if (room <= 0)
        {
            return EvaluationReply.PromptTooLong;
        }

        GenerationRequest request = new()
        {
            RequestId = $"eval-{question.Category}-{question.Id}",
            PromptTokenIds = prompt,
            MaxNewTokens = Math.Min(maxNewTokens, room),
            WeightVersion = WeightVersion,
            Priority = Priority,
            Sampling = SamplingParameters.Greedy with { StopTokenIds = _stopTokens },
        };
        List<int> ids = [];
        GenerationUpdate? last = null;
        try
        {
            IAsyncEnumerable<GenerationUpdate> updates = await QueueAsync(request, cancellationToken).ConfigureAwait(false);
            await foreach (GenerationUpdate update in updates.ConfigureAwait(false))
            {
                ids.AddRange(update.TokenIds);
                last = update;
            }
        }
        catch (Exception e) when (e is EngineFaultException or ArgumentException)
        {
            throw new EvaluationModelException(e.Message, e);
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (last?.FinishReason is null or FinishReason.Cancelled)
        {
            throw new EvaluationModelException("The engine stopped before the answer was complete.");
        }

        string text = tokenizer.Decode(last.StopTokenId is null ? ids : ids[..^1]);
        string reason = last.FinishReason.Value.ToString().ToLowerInvariant();
        string completion = mode == EvaluationMode.Native ? NativeReply.FromText(text, format.Name, last.FinishReason == FinishReason.Length) : text;
        return new EvaluationReply(completion, text, reason, prompt.Length, ids.Count);
    }

    /// <summary>Queues a request as soon as there is room. An engine that stops refuses too; the caller then cancels.</summary>
    private async Task<IAsyncEnumerable<GenerationUpdate>> QueueAsync(GenerationRequest request, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return engine.Generate(request, cancellationToken);
            }
            catch (EngineOverloadedException e) when (engine.Snapshot().Healthy)
            {
                await Task.Delay(e.RetryAfter, Time, cancellationToken).ConfigureAwait(false);
            }
            catch (EngineOverloadedException e)
            {
                throw new EvaluationModelException(e.Message, e);
            }
        }
    }
}
