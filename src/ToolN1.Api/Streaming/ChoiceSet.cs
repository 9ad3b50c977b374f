using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ToolN1.Engine;

namespace ToolN1.Api.Streaming;

/// <summary>
/// The generations of one HTTP request (<c>n</c> choices, several prompts), started together and read as one stream.
/// The queue may hold fewer than the request asks for: then the rest starts as earlier ones end. Disposing it ends all of them.
/// </summary>
/// <typeparam name="T">What a generation yields.</typeparam>
internal sealed class ChoiceSet<T> : IAsyncDisposable
{
    // Pieces in flight between the generations and the HTTP writer; engines hold the rest, bounded by the token limits.
    private const int MergeCapacity = 16;

    private readonly int _count;
    private readonly Func<int, CancellationToken, IAsyncEnumerable<T>> _start;
    private readonly CancellationTokenSource _cancellation;
    private readonly List<IAsyncEnumerable<T>> _accepted = [];
    private readonly Channel<(int Choice, T Item)> _merged = Channel.CreateBounded<(int, T)>(MergeCapacity);
    private Task _pumps = Task.CompletedTask;
    private int _next;

    private ChoiceSet(int count, Func<int, CancellationToken, IAsyncEnumerable<T>> start, CancellationToken requestAborted)
    {
        _count = count;
        _start = start;
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(requestAborted);
    }

    /// <summary>Starts as many generations as the engine's queue takes, one at least.</summary>
    /// <param name="count">How many generations there are.</param>
    /// <param name="start">Queues generation number i; may refuse by throwing.</param>
    /// <param name="requestAborted">Ends all of them.</param>
    /// <exception cref="EngineOverloadedException">The queue took none.</exception>
    public static ChoiceSet<T> Start(int count, Func<int, CancellationToken, IAsyncEnumerable<T>> start, CancellationToken requestAborted)
    {
        ChoiceSet<T> set = new(count, start, requestAborted);
        try
        {
            for (; set._next < count; set._next++)
            {
                set._accepted.Add(start(set._next, set._cancellation.Token));
            }
        }
        catch (EngineOverloadedException) when (set._accepted.Count > 0)
        {
            // The rest waits for its turn.
        }
        catch
        {
            set._cancellation.Cancel();
            set._cancellation.Dispose();
            throw;
        }

        return set;
    }

    /// <summary>All pieces, those of one generation in their order. To be enumerated once.</summary>
    public async IAsyncEnumerable<(int Choice, T Item)> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        _pumps = PumpAllAsync();
        await foreach ((int Choice, T Item) piece in _merged.Reader.ReadAllAsync(cancellationToken))
        {
            yield return piece;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _cancellation.CancelAsync();
        await _pumps;
        _cancellation.Dispose();
    }

    private async Task PumpAllAsync()
    {
        try
        {
            await Task.WhenAll(_accepted.Select((generation, choice) => PumpAsync(choice, generation)));
            _merged.Writer.Complete();
        }
        catch (Exception exception)
        {
            // The reader rethrows it.
            _merged.Writer.Complete(exception);
        }
    }

    private async Task PumpAsync(int choice, IAsyncEnumerable<T> generation)
    {
        try
        {
            while (true)
            {
                await foreach (T item in generation.WithCancellation(_cancellation.Token))
                {
                    await _merged.Writer.WriteAsync((choice, item), _cancellation.Token);
                }

                choice = Interlocked.Increment(ref _next) - 1;
                if (choice >= _count)
                {
                    return;
                }

                generation = await StartWhenThereIsRoomAsync(choice);
            }
        }
        catch
        {
            // One failure fails the answer: the others need not run to their end.
            await _cancellation.CancelAsync();
            throw;
        }
    }

    private async Task<IAsyncEnumerable<T>> StartWhenThereIsRoomAsync(int choice)
    {
        while (true)
        {
            try
            {
                return _start(choice, _cancellation.Token);
            }
            catch (EngineOverloadedException overloaded)
            {
                await Task.Delay(overloaded.RetryAfter, _cancellation.Token);
            }
        }
    }
}
