using System.Diagnostics.Metrics;
using System.Threading.Channels;
using Microsoft.Extensions.Options;

namespace ToolN1.Training.Captures;

/// <summary>
/// What lies between serving and the captures: takes answers without ever waiting or failing; what it cannot take is dropped
/// and counted. Safe to call from any thread.
/// </summary>
public sealed class CaptureQueue
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "ToolN1.Captures";

    private readonly CaptureOptions _options;
    private readonly Channel<CapturedAnswer> _answers;
    private readonly Counter<long> _kept;
    private readonly Counter<long> _dropped;
    private volatile bool _isClosed;

    /// <summary>Creates the queue and its instruments.</summary>
    public CaptureQueue(IOptions<CaptureOptions> options, IMeterFactory meters)
    {
        _options = options.Value;
        _answers = Channel.CreateBounded<CapturedAnswer>(new BoundedChannelOptions(_options.QueueLength) { SingleReader = true });
        Meter meter = meters.Create(new MeterOptions(MeterName));
        _kept = meter.CreateCounter<long>("tooln1.captures.kept", description: "Answers captured for review.");
        _dropped = meter.CreateCounter<long>("tooln1.captures.dropped", description: "Answers not captured: the queue was full, they were too large, writing failed, or the server was stopping.");
        if (IsOn)
        {
            meter.CreateObservableGauge("tooln1.captures.queued", () => _answers.Reader.Count, description: "Answers that wait to be redacted and written; a crash loses them.");
        }
    }

    /// <summary>Whether answers are captured.</summary>
    public bool IsOn => _options.Enabled;

    /// <summary>The answers, for the one who writes them.</summary>
    internal ChannelReader<CapturedAnswer> Answers => _answers.Reader;

    /// <summary>Takes an answer that has ended.</summary>
    public void Offer(CapturedAnswer answer)
    {
        if (answer.Characters > _options.MaxCharacters)
        {
            Dropped(1, "too_large");
        }
        else if (!_answers.Writer.TryWrite(answer))
        {
            Dropped(1, _isClosed ? "stopping" : "queue_full");
        }
    }

    /// <summary>Takes no more; what is in it is still written.</summary>
    internal void Close()
    {
        _isClosed = true;
        _answers.Writer.TryComplete();
    }

    /// <summary>Counts what was written.</summary>
    internal void Kept(int count) => _kept.Add(count);

    /// <summary>Counts what was not.</summary>
    internal void Dropped(int count, string reason) => _dropped.Add(count, new KeyValuePair<string, object?>("reason", reason));
}
