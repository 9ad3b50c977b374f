using ToolN1.Engine;

namespace ToolN1.Api.Observability;

/// <summary>Asks the model for one token after the start; the server is ready once that came, until it stops or its engine gives up.</summary>
internal sealed partial class ReadinessProbe(IInferenceEngine engine, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<ReadinessProbe> logger) : BackgroundService
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);
    private volatile bool _answered;

    /// <summary>Whether the model has answered, the engine is healthy and the server is not stopping.</summary>
    public bool IsReady => _answered && engine.Snapshot().Healthy && !lifetime.ApplicationStopping.IsCancellationRequested;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!_answered)
        {
            try
            {
                GenerationRequest request = new() { RequestId = "readiness", PromptTokenIds = [0], MaxNewTokens = 1 };
                await foreach (GenerationUpdate update in engine.Generate(request, stoppingToken).WithCancellation(stoppingToken))
                {
                    _answered |= update.TokenIds.Count > 0;
                }
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                ProbeFailed(exception.GetType().Name);
                await Task.Delay(RetryDelay, time, stoppingToken);
            }
        }

        Ready(engine.Model.Name);
    }

    [LoggerMessage(EventId = 3010, Level = LogLevel.Information, Message = "{Model} answers; ready")]
    private partial void Ready(string model);

    [LoggerMessage(EventId = 3011, Level = LogLevel.Warning, Message = "The model does not answer yet ({Failure})")]
    private partial void ProbeFailed(string failure);
}
