namespace ToolN1.Engine;

/// <summary>Token ids in, token ids out, many sequences at once on one device. Safe to call from any thread.</summary>
public interface IInferenceEngine
{
    /// <summary>The served model.</summary>
    ModelInfo Model { get; }

    /// <summary>
    /// Queues a request and returns its updates as they are made. Queueing happens in the call, before the first
    /// enumeration, so that a refusal can still become an HTTP status.
    /// </summary>
    /// <param name="request">The sequence to generate.</param>
    /// <param name="cancellationToken">Ends the sequence and frees its blocks within two engine steps. Ending the enumeration early does the same.</param>
    /// <returns>Updates; the last one carries the finish reason. The channel behind holds the whole answer, so a slow reader stalls nobody.</returns>
    /// <exception cref="EngineOverloadedException">The queue is full, or the engine is stopping.</exception>
    /// <exception cref="ArgumentException">A prompt that is empty, too long for the model, or names an id outside the vocabulary.</exception>
    IAsyncEnumerable<GenerationUpdate> Generate(GenerationRequest request, CancellationToken cancellationToken);

    /// <summary>Counters and gauges of this moment.</summary>
    EngineSnapshot Snapshot();
}
