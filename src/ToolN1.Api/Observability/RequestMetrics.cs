using System.Diagnostics.Metrics;

namespace ToolN1.Api.Observability;

/// <summary>Durations and sizes of generation requests, by endpoint.</summary>
internal sealed class RequestMetrics
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "ToolN1.Api";

    private readonly TimeProvider _time;
    private readonly Histogram<double> _firstPiece;
    private readonly Histogram<double> _perToken;
    private readonly Histogram<double> _duration;
    private readonly Histogram<int> _promptTokens;
    private readonly Histogram<int> _completionTokens;

    /// <summary>Creates the instruments.</summary>
    public RequestMetrics(IMeterFactory meters, TimeProvider time)
    {
        _time = time;
        Meter meter = meters.Create(MeterName);
        double[] seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
        int[] tokens = [1, 8, 32, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 131072];
        _firstPiece = Seconds(meter, "tooln1.request.first_piece", "From the acceptance of a request to the first piece of its answer.", seconds);
        _perToken = Seconds(meter, "tooln1.request.time_per_output_token", "Time from the first piece of an answer to its last, by the tokens after the first.", seconds);
        _duration = Seconds(meter, "tooln1.request.duration", "From the acceptance of a request to the end of its answer; only answers that came to their end.", seconds);
        _promptTokens = Tokens(meter, "tooln1.request.prompt_tokens", "Prompt tokens of a request.", tokens);
        _completionTokens = Tokens(meter, "tooln1.request.completion_tokens", "Generated tokens of a request.", tokens);
    }

    /// <summary>Starts the clock of a request.</summary>
    /// <param name="endpoint">"chat" or "completion".</param>
    public RequestTimer Start(string endpoint) => new(this, endpoint, _time.GetTimestamp());

    internal TimeSpan Since(long timestamp) => _time.GetElapsedTime(timestamp);

    internal void FirstPiece(string endpoint, TimeSpan elapsed) => _firstPiece.Record(elapsed.TotalSeconds, Tag(endpoint));

    internal void Finished(string endpoint, TimeSpan first, TimeSpan whole, int promptTokens, int completionTokens)
    {
        _duration.Record(whole.TotalSeconds, Tag(endpoint));
        _promptTokens.Record(promptTokens, Tag(endpoint));
        _completionTokens.Record(completionTokens, Tag(endpoint));
        if (completionTokens > 1)
        {
            _perToken.Record((whole - first).TotalSeconds / (completionTokens - 1), Tag(endpoint));
        }
    }

    private static KeyValuePair<string, object?> Tag(string endpoint) => new("endpoint", endpoint);

    private static Histogram<double> Seconds(Meter meter, string name, string description, double[] bounds) =>
        meter.CreateHistogram(name, "s", description, advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds });

    private static Histogram<int> Tokens(Meter meter, string name, string description, int[] bounds) =>
        meter.CreateHistogram(name, null, description, advice: new InstrumentAdvice<int> { HistogramBucketBoundaries = bounds });
}
