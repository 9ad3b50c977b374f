using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Api.Errors;

/// <summary>Logs failures without what callers or the model wrote.</summary>
internal sealed partial class FailureLog(ILogger<FailureLog> logger)
{
    /// <summary>
    /// The refusal that stands for a failure. One that nobody expected is logged, and its caller gets no details; its
    /// message may quote what it was working on and is logged at Trace only. One of storage is logged whole: files and tables are
    /// all that its message can name.
    /// </summary>
    public ApiException Refuse(string requestId, Exception exception)
    {
        ApiException? refusal = ErrorWriter.AsRefusal(exception);
        if (refusal is null)
        {
            Unexpected(requestId, exception.GetType().FullName, exception.StackTrace);
            Details(requestId, exception);
            refusal = ErrorWriter.Unexpected();
        }
        else if (Outage.Is(exception) || Outage.IsFullDisk(exception))
        {
            StorageFailed(exception, requestId, refusal.Body.Code);
        }

        return refusal;
    }

    /// <summary>Notes that the client went away before its answer was complete.</summary>
    [LoggerMessage(EventId = 3001, Level = LogLevel.Debug, Message = "{RequestId}: the client went away")]
    public partial void ClientWentAway(string requestId);

    [LoggerMessage(EventId = 3002, Level = LogLevel.Error, Message = "{RequestId}: unexpected {ExceptionType}\n{Stack}")]
    private partial void Unexpected(string requestId, string? exceptionType, string? stack);

    [LoggerMessage(EventId = 3003, Level = LogLevel.Trace, Message = "{RequestId}: details of the failure")]
    private partial void Details(string requestId, Exception exception);

    [LoggerMessage(EventId = 3004, Level = LogLevel.Error, Message = "{RequestId}: {Code}")]
    private partial void StorageFailed(Exception exception, string requestId, string? code);
}
