using System.Runtime.InteropServices;

namespace ToolN1.Cli;

/// <summary>
/// Ctrl-C and a container's request to stop: the first asks the command to end well (a training run saves), the second ends
/// the process as it would without us.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration[] _signals;

    /// <summary>Listens from now on.</summary>
    public Interruption() =>
        _signals = [PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle)];

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _stop.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        Array.ForEach(_signals, signal => signal.Dispose());
        _stop.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        if (!_stop.IsCancellationRequested)
        {
            // Told when it holds: whoever reads it may count on it.
            context.Cancel = true;
            _stop.Cancel();
            Console.Error.WriteLine("\nStopping as soon as it can be done well; once more ends at once.");
        }
    }
}
