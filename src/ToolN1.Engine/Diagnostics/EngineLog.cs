using Microsoft.Extensions.Logging;

namespace ToolN1.Engine.Diagnostics;

/// <summary>The engine's log messages. No prompt and no answer is ever part of one, but at Trace.</summary>
internal static partial class EngineLog
{
    [LoggerMessage(1001, LogLevel.Error, "A step over {Sequences} sequences failed; they end with an error, the engine goes on")]
    public static partial void StepFailed(ILogger logger, Exception exception, int sequences);

    [LoggerMessage(1002, LogLevel.Error, "Request {RequestId} failed")]
    public static partial void SequenceFailed(ILogger logger, Exception exception, string requestId);

    [LoggerMessage(1003, LogLevel.Critical, "The engine gave up and refuses all requests until it is restarted")]
    public static partial void Unhealthy(ILogger logger, Exception exception);

    [LoggerMessage(1004, LogLevel.Information, "Serving {Model}: {DType} on {Device}, {Attention} attention, {Blocks} cache blocks of {BlockSize} tokens, up to {MaxModelLength} tokens a sequence")]
    public static partial void Serving(
        ILogger logger, string model, string dtype, string device, string attention, int blocks, int blockSize, int maxModelLength);

    [LoggerMessage(1005, LogLevel.Information, "Weight version {Version} is published")]
    public static partial void Published(ILogger logger, string version);

    [LoggerMessage(1006, LogLevel.Information, "Weight version {Version} is live in place of {Before}")]
    public static partial void Promoted(ILogger logger, string version, string before);

    [LoggerMessage(1010, LogLevel.Trace, "Request {RequestId}: the limit cut a call after {Text}")]
    public static partial void CallCut(ILogger logger, string requestId, string text);
}
