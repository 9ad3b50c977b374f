using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace ToolN1.Training.Passes;

/// <summary>
/// Passes side by side, each on a thread with a share of libtorch's threads and with gradients of its own. A sum's order
/// depends on the number of lanes only, so runs with as many repeat bit by bit.
/// </summary>
/// <remarks>libtorch has one number of threads for the process, which several lanes change while they run: for a process that trains and does nothing else.</remarks>
internal sealed class PassLanes : IDisposable
{
    private readonly PassGradients[] _gradients;

    /// <summary>Prepares lanes.</summary>
    /// <param name="count">At least one.</param>
    /// <param name="threads">All threads together.</param>
    public PassLanes(int count, int threads)
    {
        ThreadsEach = Math.Max(1, threads / count);
        _gradients = [.. Enumerable.Range(0, count).Select(lane => lane == 0 ? PassGradients.OfParameters : new PassGradients(isApart: true))];
    }

    /// <summary>Lanes.</summary>
    public int Count => _gradients.Length;

    /// <summary>Threads of each lane, at least one.</summary>
    public int ThreadsEach { get; }

    /// <summary>Runs a pass on each of the first lanes and waits for all.</summary>
    /// <param name="count">Lanes used.</param>
    /// <param name="pass">Gets the lane and its gradients.</param>
    public void Run(int count, Action<int, PassGradients> pass)
    {
        if (Count == 1)
        {
            pass(0, _gradients[0]);
            return;
        }

        int before = get_num_threads();
        Exception?[] errors = new Exception?[count];
        Thread[] threads = [.. Enumerable.Range(0, count).Select(lane => new Thread(() =>
        {
            try
            {
                // libtorch's number belongs to the calling thread; these threads end with the passes.
                set_num_threads(ThreadsEach);
                pass(lane, _gradients[lane]);
            }
            catch (Exception error)
            {
                errors[lane] = error;
            }
        })
        {
            Name = "training lane " + lane,
        })];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        // What new threads begin with, and this one's.
        set_num_threads(before);
        if (errors.FirstOrDefault(error => error is not null) is Exception first)
        {
            ExceptionDispatchInfo.Throw(first);
        }
    }

    /// <summary>Adds what the lanes summed up to the parameters' gradients, lane by lane.</summary>
    public void MoveToParameters()
    {
        foreach (PassGradients gradients in _gradients.Skip(1))
        {
            gradients.MoveToParameters();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PassGradients gradients in _gradients.Skip(1))
        {
            gradients.Dispose();
        }
    }
}
