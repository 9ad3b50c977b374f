using Microsoft.Extensions.Logging;

namespace ToolN1.Training.Evaluation.Jobs;

/// <summary>What the log says of evaluations; never a prompt or an answer.</summary>
internal static partial class EvaluationLog
{
    [LoggerMessage(EventId = 4101, Level = LogLevel.Information, Message = "{Evaluation}: {Message}")]
    public static partial void Happened(ILogger logger, string evaluation, string message);

    [LoggerMessage(EventId = 4102, Level = LogLevel.Error, Message = "{Evaluation} failed unexpectedly: {ExceptionType}\n{Stack}")]
    public static partial void Failed(ILogger logger, string evaluation, string? exceptionType, string? stack);

    [LoggerMessage(EventId = 4103, Level = LogLevel.Warning, Message = "An evaluation's folder is left out: {Reason}")]
    public static partial void Damaged(ILogger logger, string reason);
}
