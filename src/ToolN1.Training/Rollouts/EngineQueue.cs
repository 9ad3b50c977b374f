using ToolN1.Engine;

namespace ToolN1.Training.Rollouts;

/// <summary>Requests of training and evaluation, which come behind everybody's: they wait where others have filled the engine's queue.</summary>
internal static class EngineQueue
{
    /// <summary>Asks an engine as soon as it has a place.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="request">The request.</param>
    /// <param name="cancellationToken">Gives up, and ends the generation.</param>
    /// <returns>The generation's updates.</returns>
    /// <exception cref="EngineOverloadedException">The engine is out of order or stopping.</exception>
    public static async Task<IAsyncEnumerable<GenerationUpdate>> QueueAsync(this IInferenceEngine engine, GenerationRequest request, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return engine.Generate(request, cancellationToken);
            }
            catch (EngineOverloadedException error) when (engine.Snapshot().Healthy && !error.IsStopping)
            {
                await Task.Delay(error.RetryAfter, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
