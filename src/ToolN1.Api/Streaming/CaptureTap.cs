using System.Runtime.CompilerServices;
using ToolN1.Engine.Chat;
using ToolN1.Training.Captures;

namespace ToolN1.Api.Streaming;

/// <summary>Hands what a chat request asked and was answered to the captures, beside the caller's own answer.</summary>
internal sealed class CaptureTap(CaptureQueue queue)
{
    /// <summary>The same events; once they end, or nobody reads on, the answers so far are offered to the captures.</summary>
    /// <param name="events">The answer's events, by choice.</param>
    /// <param name="request">What was asked.</param>
    /// <param name="choices">How many answers there are.</param>
    /// <param name="origin">Where the request comes from; null for one that is not to be kept.</param>
    /// <param name="requestAborted">Tells a caller who went away from an answer that failed.</param>
    public IAsyncEnumerable<(int Choice, ChatEvent Piece)> Watch(
        IAsyncEnumerable<(int Choice, ChatEvent Piece)> events, ChatRequest request, int choices, CaptureOrigin? origin, CancellationToken requestAborted) =>
        origin is null || !queue.IsOn ? events : WatchAsync(events, [.. Enumerable.Range(0, choices).Select(choice => new CapturedAnswer(origin, request, choice))], requestAborted);

    private async IAsyncEnumerable<(int Choice, ChatEvent Piece)> WatchAsync(
        IAsyncEnumerable<(int Choice, ChatEvent Piece)> events, CapturedAnswer[] answers, CancellationToken requestAborted, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        try
        {
            await foreach ((int Choice, ChatEvent Piece) item in events.WithCancellation(cancellationToken))
            {
                answers[item.Choice].Add(item.Piece);
                yield return item;
            }
        }
        finally
        {
            foreach (CapturedAnswer answer in answers)
            {
                answer.End(requestAborted.IsCancellationRequested ? CapturedAnswer.Cancelled : CapturedAnswer.Failed);
                queue.Offer(answer);
            }
        }
    }
}
