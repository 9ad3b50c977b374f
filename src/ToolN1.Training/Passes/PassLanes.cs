using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace ToolN1.Training.Passes;

/// <summary>
/// Passes side by side, each on a thread with a share of libtorch's threads and with gradients of its own. A sum's order
/// depends on the number of lanes only, so runs with as many repeat bit by bit.
/// </summary>
/// <remarks>
/// A lane keeps its thread, and with it the arena that malloc gave the thread and what libraries keep for it. libtorch has one number of
/// threads for the process beside each thread's own, which the lanes change while they begin: for a process that trains and does nothing else.
/// </remarks>
internal sealed class PassLanes : IDisposable
{
    private readonly PassGradients[] _gradients;
    private readonly Lane[] _lanes;

    /// <summary>Prepares lanes.</summary>
    /// <param name="count">At least one; one alone runs on the caller's thread.</param>
    /// <param name="threads">All threads together.</param>
    public PassLanes(int count, int threads)
    {
        ThreadsEach = Math.Max(1, threads / count);
        _gradients = [.. Enumerable.Range(0, count).Select(lane => lane == 0 ? PassGradients.OfParameters : new PassGradients(isApart: true))];
        int before = get_num_threads();
        _lanes = count == 1 ? [] : [.. Enumerable.Range(0, count).Select(lane => new Lane(lane, ThreadsEach))];
        if (_lanes.Length > 0)
        {
            // What threads of others begin with.
            set_num_threads(before);
        }
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

        for (int lane = 0; lane < count; lane++)
        {
            int number = lane;
            _lanes[lane].Begin(() => pass(number, _gradients[number]));
        }

        Exception? first = null;
        foreach (Lane lane in _lanes.Take(count))
        {
            Exception? error = lane.Wait();
            first ??= error;
        }

        if (first is not null)
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
        foreach (Lane lane in _lanes)
        {
            lane.Dispose();
        }

        foreach (PassGradients gradients in _gradients.Skip(1))
        {
            gradients.Dispose();
        }
    }

    /// <summary>A thread that runs one pass after the other.</summary>
    private sealed class Lane : IDisposable
    {
        private readonly SemaphoreSlim _asked = new(0);
        private readonly SemaphoreSlim _done = new(0);
        private readonly Thread _thread;
        private Action? _pass;
        private Exception? _error;

        /// <summary>Starts it and waits until it has its share of the threads.</summary>
        public Lane(int number, int threads)
        {
            _thread = new Thread(() => Loop(threads)) { Name = "training lane " + number, IsBackground = true };
            _thread.Start();
            _done.Wait();
        }

        /// <summary>Begins a pass.</summary>
        public void Begin(Action pass)
        {
            _pass = pass;
            _asked.Release();
        }

        /// <summary>Waits for its end.</summary>
        /// <returns>What it failed with, or null.</returns>
        public Exception? Wait()
        {
            _done.Wait();
            return _error;
        }

        public void Dispose()
        {
            _pass = null;
            _asked.Release();
            _thread.Join();
            _asked.Dispose();
            _done.Dispose();
        }

        private void Loop(int threads)
        {
            // A thread that has asked for nothing yet takes the process's number at its first product: it must have asked.
            set_num_threads(threads);
            _ = get_num_threads();
            _done.Release();
            while (true)
            {
                _asked.Wait();
                if (_pass is not Action pass)
                {
                    return;
                }

                try
                {
                    _error = null;
                    pass();
                }
                catch (Exception error)
                {
                    _error = error;
                }

                _pass = null;
                _done.Release();
            }
        }
    }
}
