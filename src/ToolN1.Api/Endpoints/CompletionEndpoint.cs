using System.Text;
using Microsoft.Extensions.Options;
using ToolN1.Api.Contracts;
using ToolN1.Api.Errors;
using ToolN1.Api.Observability;
using ToolN1.Api.Streaming;
using ToolN1.Engine;
using ToolN1.Engine.Hosting;
using ToolN1.Training.Jobs.Models;

namespace ToolN1.Api.Endpoints;

/// <summary>POST /v1/completions.</summary>
internal sealed class CompletionEndpoint(ServedModel model, IInferenceEngine engine, RequestOpening opening, IOptions<ServerOptions> options, FailureLog log)
{
    private readonly CompletionText _text = new(engine, model.Tokenizer);

    /// <summary>Reads a request, runs it, answers it.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        using OpenedRequest<CompletionCall> request = await opening.OpenAsync(
            context, "completion", "cmpl-", CompletionShape.Shape, (body, tenant) => CompletionBinder.Bind(body, engine.Model, model.Tokenizer, options.Value.MaxLogProbs, tenant));
        (_, ModelUse use, AnswerIdentity identity, RequestTimer timer) = request;
        CompletionCall call = request.Call with { WeightVersion = use.WeightVersion };
        await using ChoiceSet<CompletionPiece> pieces = ChoiceSet<CompletionPiece>.Start(
            call.Prompts.Count * call.Choices,
            (index, cancellation) => _text.Generate(call, index, $"{identity.Id}-{index}", cancellation),
            context.RequestAborted);
        if (call.Delivery.Stream)
        {
            await StreamedAnswer.WriteAsync(context, log, writer => StreamAsync(writer, pieces, call, identity, timer, context.RequestAborted));
        }
        else
        {
            Completion answer = await WholeAsync(pieces, call, identity, timer, context.RequestAborted);
            await JsonAnswer.WriteAsync(context, answer, ApiJsonContext.Relaxed.Completion);
        }
    }

    private static async Task<Completion> WholeAsync(
        ChoiceSet<CompletionPiece> pieces, CompletionCall call, AnswerIdentity identity, RequestTimer timer, CancellationToken cancellation)
    {
        int count = call.Prompts.Count * call.Choices;
        StringBuilder[] texts = [.. Enumerable.Range(0, count).Select(_ => new StringBuilder())];
        List<CompletionLogProbs>[] logProbs = [.. Enumerable.Range(0, count).Select(_ => new List<CompletionLogProbs>())];
        CompletionEnd[] ends = new CompletionEnd[count];
        await foreach ((int index, CompletionPiece piece) in pieces.ReadAsync(cancellation))
        {
            timer.Piece();
            texts[index].Append(piece.Text);
            if (piece.LogProbs is not null)
            {
                logProbs[index].Add(piece.LogProbs);
            }

            ends[index] = piece.End ?? ends[index];
        }

        Usage usage = UsageOf(call, ends);
        timer.Finish(usage.PromptTokens, usage.CompletionTokens);
        return Body(identity, new ChunkUsage(true, usage), [.. Enumerable.Range(0, count).Select(index => new CompletionChoice
        {
            Index = index,
            Text = texts[index].ToString(),
            Logprobs = call.LogProbs is null ? null : Join(logProbs[index]),
            FinishReason = Reason(ends[index]),
        })]);
    }

    private static async Task StreamAsync(
        SseWriter writer, ChoiceSet<CompletionPiece> pieces, CompletionCall call, AnswerIdentity identity, RequestTimer timer, CancellationToken cancellation)
    {
        ChunkUsage none = call.Delivery.IncludeUsage ? ChunkUsage.Null : default;
        CompletionEnd[] ends = new CompletionEnd[call.Prompts.Count * call.Choices];
        await foreach ((int index, CompletionPiece piece) in pieces.ReadAsync(cancellation))
        {
            timer.Piece();
            ends[index] = piece.End ?? ends[index];
            if (piece.Text.Length > 0 || piece.End is not null || piece.LogProbs?.Tokens.Count > 0)
            {
                CompletionChoice choice = new()
                {
                    Index = index,
                    Text = piece.Text,
                    Logprobs = piece.LogProbs,
                    FinishReason = piece.End is null ? null : Reason(piece.End),
                };
                await writer.WriteAsync(Body(identity, none, [choice]), ApiJsonContext.Relaxed.Completion);
            }
        }

        Usage usage = UsageOf(call, ends);
        timer.Finish(usage.PromptTokens, usage.CompletionTokens);
        if (call.Delivery.IncludeUsage)
        {
            await writer.WriteAsync(Body(identity, new ChunkUsage(true, usage), []), ApiJsonContext.Relaxed.Completion);
        }
    }

    private static Completion Body(AnswerIdentity identity, ChunkUsage usage, IReadOnlyList<CompletionChoice> choices) => new()
    {
        Id = identity.Id,
        Created = identity.Created,
        Model = identity.Model,
        SystemFingerprint = identity.Fingerprint,
        Choices = choices,
        Usage = usage,
    };

    private static string Reason(CompletionEnd end) => end.Reason switch
    {
        FinishReason.Stop => "stop",
        FinishReason.Length => "length",
        _ => throw ChatWire.Stopping(),
    };

    private static Usage UsageOf(CompletionCall call, CompletionEnd[] ends)
    {
        // Each prompt counts once, however many choices it has; what was cached is what its first choice found.
        int prompt = call.Prompts.Sum(ids => ids.Length);
        int completion = ends.Sum(end => end.CompletionTokens);
        int cached = ends.Where((_, index) => index % call.Choices == 0).Sum(end => end.CachedPromptTokens);
        return new Usage
        {
            PromptTokens = prompt,
            CompletionTokens = completion,
            TotalTokens = prompt + completion,
            PromptTokensDetails = new PromptTokensDetails { CachedTokens = cached },
        };
    }

    private static CompletionLogProbs Join(List<CompletionLogProbs> pieces) => new()
    {
        Tokens = [.. pieces.SelectMany(piece => piece.Tokens)],
        TokenLogprobs = [.. pieces.SelectMany(piece => piece.TokenLogprobs)],
        TopLogprobs = [.. pieces.SelectMany(piece => piece.TopLogprobs)],
        TextOffset = [.. pieces.SelectMany(piece => piece.TextOffset)],
    };
}
