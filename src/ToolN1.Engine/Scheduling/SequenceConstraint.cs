using ToolN1.Engine.Constraints;

namespace ToolN1.Engine.Scheduling;

/// <summary>
/// A sequence's constraint between engine steps: its next mask is computed on the thread pool while the model computes,
/// and travels with the sequence when it is preempted. Methods are called by one thread at a time, in the order
/// <see cref="BeginMask"/>, <see cref="Mask"/>, <see cref="Accept"/>.
/// </summary>
internal sealed class SequenceConstraint(ITokenConstraint constraint) : IThreadPoolWorkItem
{
    private readonly object _gate = new();
    private bool _isDone;
    private int _remaining;
    private int _isOpen;
    private Exception? _failure;
    private ReadOnlyMemory<ulong> _mask;

    /// <summary>Tokens that are certain to come next; fewer than remain, so that a token is always left to sample.</summary>
    /// <param name="remaining">Tokens that the request's limit leaves.</param>
    public IReadOnlyList<int> Forced(int remaining)
    {
        IReadOnlyList<int> forced = [];
        Try(() => forced = remaining > 1 ? constraint.Forced(remaining) : []);
        return forced.Count < remaining ? forced : [.. forced.Take(remaining - 1)];
    }

    /// <summary>Notes a token of the answer. One that is not allowed makes <see cref="Mask"/> fail.</summary>
    public void Accept(int token) => Try(() => constraint.Accept(token));

    /// <summary>Starts computing the mask of the next token.</summary>
    /// <param name="remaining">Tokens that the request's limit leaves.</param>
    public void BeginMask(int remaining)
    {
        _remaining = remaining;
        _isDone = false;
        Volatile.Write(ref _isOpen, 1);
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>The mask that was begun: one bit a token; ids beyond it are not allowed.</summary>
    /// <exception cref="ConstraintEvaluationException">The constraint failed, now or before: nothing may be sampled without it.</exception>
    public ReadOnlySpan<ulong> Mask()
    {
        // A busy thread pool may not have come to it yet.
        Execute();
        lock (_gate)
        {
            while (!_isDone)
            {
                Monitor.Wait(_gate);
            }
        }

        return _failure is null ? _mask.Span : throw new ConstraintEvaluationException("The answer's constraint could not be evaluated.", _failure);
    }

    /// <summary>Computes the mask, unless another thread has begun to.</summary>
    public void Execute()
    {
        if (Interlocked.Exchange(ref _isOpen, 0) == 1)
        {
            Try(() => _mask = constraint.Allowed(_remaining));
            lock (_gate)
            {
                _isDone = true;
                Monitor.PulseAll(_gate);
            }
        }
    }

    private void Try(Action evaluate)
    {
        if (_failure is not null)
        {
            return;
        }

        try
        {
            evaluate();
        }
        catch (Exception exception)
        {
            _failure = exception;
        }
    }
}
