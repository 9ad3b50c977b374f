using ToolN1.Api.Errors;

namespace ToolN1.Api.Streaming;

/// <summary>Follows something that goes on for long as server-sent events.</summary>
internal sealed class EventStream(FailureLog log, IHostApplicationLifetime lifetime, TimeProvider time)
{
    /// <summary>Silence after which a stream says that it is alive: shorter than what proxies close a connection for.</summary>
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Writes each item as it comes, a comment into every silence, and <c>[DONE]</c> after the last; a failure is the last event. A server
    /// that stops ends the stream without any of these: whoever follows asks the next one for the rest.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="watch">The items, until they end or the token says so.</param>
    /// <param name="write">Writes one.</param>
    public async Task WriteAsync<T>(HttpContext context, Func<CancellationToken, IAsyncEnumerable<T>> watch, Func<SseWriter, T, Task> write)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        await StreamedAnswer.WriteAsync(context, log, writer => FollowAsync(writer, watch(stop.Token), write, stop), (writer, refusal) => writer.ErrorAsync(refusal));
    }

    private async Task FollowAsync<T>(SseWriter writer, IAsyncEnumerable<T> source, Func<SseWriter, T, Task> write, CancellationTokenSource stop)
    {
        IAsyncEnumerator<T> items = source.GetAsyncEnumerator(stop.Token);
        Task<bool> next = items.MoveNextAsync().AsTask();
        try
        {
            while (await NextAsync(writer, next))
            {
                await write(writer, items.Current);
                next = items.MoveNextAsync().AsTask();
            }

            await writer.DoneAsync();
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // Neither [DONE] nor an error: what is followed goes on at the next start.
        }
        finally
        {
            // A client that has gone leaves an item asked for, which must have come before the source is let go.
            await stop.CancelAsync();
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await items.DisposeAsync();
        }
    }

    private async Task<bool> NextAsync(SseWriter writer, Task<bool> next)
    {
        while (true)
        {
            await ((Task)next).WaitAsync(Heartbeat, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (next.IsCompleted)
            {
                return await next;
            }

            await writer.CommentAsync("alive");
        }
    }
}
