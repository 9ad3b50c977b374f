namespace ToolN1.Api.Observability;

/// <summary>The clock of one request.</summary>
internal sealed class RequestTimer(RequestMetrics metrics, string endpoint, long start)
{
    private TimeSpan? _first;

    /// <summary>A piece of the answer came; the first one counts.</summary>
    public void Piece()
    {
        if (_first is null)
        {
            _first = metrics.Since(start);
            metrics.FirstPiece(endpoint, _first.Value);
        }
    }

    /// <summary>The answer came to its end.</summary>
    public void Finish(int promptTokens, int completionTokens)
    {
        TimeSpan whole = metrics.Since(start);
        metrics.Finished(endpoint, _first ?? whole, whole, promptTokens, completionTokens);
    }
}
