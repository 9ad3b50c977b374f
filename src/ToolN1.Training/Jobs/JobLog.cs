using Microsoft.Extensions.Logging;

namespace ToolN1.Training.Jobs;

/// <summary>Log messages of training as a service. No row and no answer is ever part of one.</summary>
internal static partial class JobLog
{
    [LoggerMessage(2001, LogLevel.Information, "Job {Job} begins or goes on")]
    public static partial void Started(ILogger logger, string job);

    [LoggerMessage(2002, LogLevel.Information, "Job {Job} is {Status}")]
    public static partial void Ended(ILogger logger, string job, string status);

    [LoggerMessage(2003, LogLevel.Error, "Job {Job} failed ({Code})")]
    public static partial void Failed(ILogger logger, Exception exception, string job, string code);

    [LoggerMessage(2004, LogLevel.Error, "The state of job {Job} cannot be saved; trying again in {Seconds} s")]
    public static partial void StateNotSaved(ILogger logger, Exception exception, string job, double seconds);

    [LoggerMessage(2005, LogLevel.Error, "The promoted model {Model} cannot be used; what was live before it is live again")]
    public static partial void PromotedModelUnusable(ILogger logger, Exception exception, string model);

    [LoggerMessage(2006, LogLevel.Warning, "The model {Model} stays in memory beyond the limit")]
    public static partial void ModelKept(ILogger logger, Exception exception, string model);

    [LoggerMessage(2007, LogLevel.Error, "Looking for the next job failed; trying again")]
    public static partial void QueueNotRead(ILogger logger, Exception exception);

    [LoggerMessage(2008, LogLevel.Error, "Whether job {Job} is to pause or stop cannot be read; trying again in {Seconds} s")]
    public static partial void WishNotRead(ILogger logger, Exception exception, string job, double seconds);

    [LoggerMessage(2009, LogLevel.Warning, "The database is out of reach of job {Job}, which goes on from its last checkpoint in {Seconds} s")]
    public static partial void Outage(ILogger logger, Exception exception, string job, double seconds);

    [LoggerMessage(2010, LogLevel.Warning, "What an earlier run left half written in the data directory cannot be removed")]
    public static partial void NotSwept(ILogger logger, Exception exception);

    [LoggerMessage(2011, LogLevel.Error, "Job {Job} stays queued: the engine is out of order, and no job runs before the server's next start")]
    public static partial void HeldBack(ILogger logger, string job);
}
