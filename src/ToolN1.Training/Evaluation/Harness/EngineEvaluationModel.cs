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
            Sampling = SamplingParameters.Greedy with { StopTokenIds = _stopTokens },
        };
        List<int> ids = [];
        GenerationUpdate? last = null;
        try
        {
            await foreach (GenerationUpdate update in engine.Generate(request, cancellationToken).ConfigureAwait(false))
            {
                ids.AddRange(update.TokenIds);
                last = update;
            }
        }
        catch (Exception e) when (e is EngineOverloadedException or EngineFaultException)
        {
            throw new EvaluationModelException(e.Message, e);
        }

        cancellationToken.ThrowIfCancellationRequested();
        string text = tokenizer.Decode(last?.StopTokenId is null ? ids : ids[..^1]);
        string reason = last?.FinishReason?.ToString().ToLowerInvariant() ?? "none";
        return new EvaluationReply(mode == EvaluationMode.Native ? NativeReply.FromText(text) : text, text, reason, prompt.Length, ids.Count);
    }
}
