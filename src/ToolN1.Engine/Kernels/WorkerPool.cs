namespace ToolN1.Engine.Kernels;

/// <summary>
/// Threads that share the tasks of one kernel call. They spin briefly between calls, since a step makes a hundred of them,
/// and then sleep. The caller works too and waits only for tasks that have begun, so a worker that the operating system
/// does not schedule delays nobody. One caller at a time.
/// </summary>
internal sealed class WorkerPool : IDisposable
{
    // About 30 µs: a step's kernels follow each other at that distance.
    private const int SpinsBeforeSleep = 300;

    private readonly Thread[] _threads;
    private readonly SemaphoreSlim _wake = new(0);
    private TaskSet? _current;
    private int _sleeping;
    private volatile bool _disposed;

    /// <summary>Starts the threads.</summary>
    /// <param name="workers">Threads that work together, the caller included.</param>
    public WorkerPool(int workers)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        Workers = workers;
        _threads = new Thread[workers - 1];
        for (int i = 0; i < _threads.Length; i++)
        {
            int worker = i + 1;
            _threads[i] = new Thread(() => Work(worker)) { IsBackground = true, Name = $"ToolN1 kernel {worker}" };
            _threads[i].Start();
        }
    }

    /// <summary>Threads that work together, the caller included; worker indices are below it.</summary>
    public int Workers { get; }

    /// <summary>Runs every task once and returns when all are done.</summary>
    /// <param name="count">Tasks.</param>
    /// <param name="body">Gets task index and worker index; must not throw.</param>
    public void Run(int count, Action<int, int> body)
    {
        TaskSet set = new(count, body);
        if (count > 1 && _threads.Length > 0)
        {
            Volatile.Write(ref _current, set);
            Interlocked.MemoryBarrier();
            int sleeping = Volatile.Read(ref _sleeping);
            if (sleeping > 0)
            {
                _wake.Release(Math.Min(sleeping, count - 1));
            }
        }

        set.Work(0);
        SpinWait spinner = default;
        while (!set.IsDone)
        {
            spinner.SpinOnce(sleep1Threshold: -1);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        _wake.Release(_threads.Length + 1);
        foreach (Thread thread in _threads)
        {
            thread.Join();
        }

        _wake.Dispose();
    }

    private void Work(int worker)
    {
        TaskSet? last = null;
        while (!_disposed)
        {
            TaskSet? set = Volatile.Read(ref _current);
            for (int spins = 0; ReferenceEquals(set, last) && spins < SpinsBeforeSleep && !_disposed; spins++)
            {
                Thread.SpinWait(8);
                set = Volatile.Read(ref _current);
            }

            if (!ReferenceEquals(set, last))
            {
                set!.Work(worker);
                last = set;
                continue;
            }

            // Announce the sleep, then look once more: a set published before the announcement was seen wakes nobody.
            Interlocked.Increment(ref _sleeping);
            if (ReferenceEquals(Volatile.Read(ref _current), last) && !_disposed)
            {
                _wake.Wait();
            }

            Interlocked.Decrement(ref _sleeping);
        }
    }

    private sealed class TaskSet(int count, Action<int, int> body)
    {
        private int _next;
        private int _done;

        public bool IsDone => Volatile.Read(ref _done) == count;

        public void Work(int worker)
        {
            for (int task = Interlocked.Increment(ref _next) - 1; task < count; task = Interlocked.Increment(ref _next) - 1)
            {
                body(task, worker);
                Interlocked.Increment(ref _done);
            }
        }
    }
}
