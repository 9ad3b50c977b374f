namespace ToolN1.Training.Jobs;

/// <summary>Tells whoever waits that something has changed.</summary>
public sealed class JobSignal
{
    private volatile TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends with the next change from now on: take it first, look at the jobs then.</summary>
    public Task Changed => _changed.Task;

    /// <summary>Something has changed.</summary>
    public void Wake() => Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
}
