namespace ToolN1.Engine.Execution;

/// <summary>Work that wants the engine's thread to itself, between two steps.</summary>
/// <param name="Work">What to do; its exceptions end the turn, not the engine.</param>
/// <param name="LiveShare">See <see cref="TurnPacer"/>. Null for the host's own work, such as a promotion: it owes nobody anything and waits for no debt.</param>
/// <param name="CancellationToken">Takes the turn out of the queue; a turn that has begun ends by itself.</param>
internal sealed record EngineTurn(Action Work, double? LiveShare, CancellationToken CancellationToken)
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends with the turn.</summary>
    public Task Done => _done.Task;

    /// <summary>Runs the turn, on the engine's thread.</summary>
    public void Run()
    {
        if (CancellationToken.IsCancellationRequested)
        {
            _done.TrySetCanceled(CancellationToken);
            return;
        }

        try
        {
            Work();
            _done.TrySetResult();
        }
        catch (Exception exception)
        {
            _done.TrySetException(exception);
        }
    }

    /// <summary>Ends a turn that will never begin.</summary>
    public void Refuse(Exception reason) => _done.TrySetException(reason);
}
