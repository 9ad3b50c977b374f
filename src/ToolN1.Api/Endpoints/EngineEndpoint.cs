using Microsoft.Extensions.Options;
using ToolN1.Api.Contracts;
using ToolN1.Engine;
using ToolN1.Engine.Constraints;
using ToolN1.Engine.Execution;
using ToolN1.Engine.Hosting;
using ToolN1.Training.Jobs.Models;

namespace ToolN1.Api.Endpoints;

/// <summary>GET /admin/engine: the engine's state at this moment.</summary>
internal sealed class EngineEndpoint(
    ServedModel served, IInferenceEngine engine, IModelHost host, ModelCatalog catalog, ConstraintCompiler constraints, IOptions<EngineOptions> options)
{
    /// <summary>Reads every figure once, those of the engine from one snapshot.</summary>
    public async Task GetAsync(HttpContext context)
    {
        IReadOnlyList<ModelSummary> models = await catalog.ListAsync();
        EngineSnapshot snapshot = engine.Snapshot();
        EngineBody body = new()
        {
            Healthy = snapshot.Healthy,
            Model = new EngineModelBody
            {
                Id = served.Info.Name,
                Live = catalog.Live,
                LiveWeightVersion = host.LiveVersion,
                Loaded = [.. models.Where(model => model.IsLoaded).Select(model => model.Name)],
                WeightVersions = host.Versions,
                Device = served.Device,
                Dtype = served.DType,
                ChatFormat = served.Format.Name,
                MaxModelLen = served.Info.MaxModelLength,
                VocabSize = served.Info.VocabularySize,
            },
            Sequences = new EngineSequencesBody
            {
                Running = snapshot.RunningSequences,
                Waiting = snapshot.WaitingSequences,
                MaxRunning = snapshot.MaxSequences,
                MaxWaiting = snapshot.MaxQueuedRequests,
                MaxBatchedTokens = snapshot.MaxBatchedTokens,
            },
            Cache = new EngineCacheBody
            {
                Blocks = snapshot.TotalBlocks,
                UsedBlocks = snapshot.UsedBlocks,
                BlockSize = options.Value.BlockSize,
                PrefixCache = options.Value.EnablePrefixCache,
                SchemaBytes = constraints.CachedBytes,
                MaskBytes = constraints.MaskBytes,
            },
            Counters = new EngineCountersBody
            {
                Steps = snapshot.Steps,
                StepsFull = snapshot.FullSteps,
                Turns = snapshot.Turns,
                TurnMilliseconds = (long)snapshot.TurnTime.TotalMilliseconds,
                TokensPrompt = snapshot.PromptTokens,
                TokensPromptCached = snapshot.CachedPromptTokens,
                TokensGenerated = snapshot.GeneratedTokens,
                TokensForced = snapshot.ForcedTokens,
                Preemptions = snapshot.Preemptions,
                RequestsFinished = snapshot.FinishedRequests,
            },
        };
        await JsonAnswer.WriteAsync(context, body, ApiJsonContext.Relaxed.EngineBody);
    }
}
