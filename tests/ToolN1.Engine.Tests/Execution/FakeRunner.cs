using ToolN1.Engine.Execution;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Scheduling;

namespace ToolN1.Engine.Tests.Execution;

/// <summary>Computes nothing: the next token is one more than the last. Steps wait for the test when it holds them.</summary>
internal sealed class FakeRunner(int vocabulary) : IStepRunner
{
    private readonly SemaphoreSlim _permits = new(0);
    private readonly SemaphoreSlim _arrivals = new(0);
    private volatile bool _held;

    public Func<ScheduledBatch, Exception?> Fault { get; set; } = _ => null;

    public bool IsDisposed { get; private set; }

    /// <summary>From now on each step needs <see cref="ReleaseStep"/>.</summary>
    public void Hold() => _held = true;

    /// <summary>Waits until a step has begun.</summary>
    public Task StepBegun() => _arrivals.WaitAsync(TestContext.Current.CancellationToken);

    /// <summary>Lets the step that has begun, or begins next, end.</summary>
    public void ReleaseStep() => _permits.Release();

    /// <summary>Steps no longer wait.</summary>
    public void LetGo()
    {
        _held = false;
        _permits.Release(1000);
    }

    public IReadOnlyList<StepResult> Execute(ScheduledBatch batch)
    {
        if (_held)
        {
            _arrivals.Release();
            _permits.Wait(TimeSpan.FromSeconds(30));
        }

        return Fault(batch) is { } fault
            ? throw fault
            : [.. batch.Items.Select(item => new StepResult(
                item.Sequence, item.Samples ? new SampledToken((item.Sequence.Tokens[^1] + 1) % vocabulary, null) : null, null))];
    }

    public void Dispose()
    {
        IsDisposed = true;
        _permits.Dispose();
        _arrivals.Dispose();
    }
}
