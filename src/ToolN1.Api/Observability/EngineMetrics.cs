using System.Diagnostics.Metrics;
using ToolN1.Engine;
using ToolN1.Engine.Constraints;

namespace ToolN1.Api.Observability;

/// <summary>The engine's counters and gauges as instruments, read when somebody scrapes.</summary>
internal sealed class EngineMetrics
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "ToolN1.Engine";

    /// <summary>Creates the instruments.</summary>
    public EngineMetrics(IMeterFactory meters, IInferenceEngine engine, ConstraintCompiler constraints)
    {
        Meter meter = meters.Create(MeterName);
        Gauge(meter, "tooln1.sequences.running", "Sequences in the running batch.", () => engine.Snapshot().RunningSequences);
        Gauge(meter, "tooln1.sequences.waiting", "Sequences accepted and waiting.", () => engine.Snapshot().WaitingSequences);
        Gauge(meter, "tooln1.kv_blocks.total", "KV-cache blocks in the pool.", () => engine.Snapshot().TotalBlocks);
        Gauge(meter, "tooln1.kv_blocks.used", "KV-cache blocks held by sequences; cached blocks that nobody holds count as free.", () => engine.Snapshot().UsedBlocks);
        Counter(meter, "tooln1.engine.steps", "Engine steps.", () => engine.Snapshot().Steps);
        Counter(meter, "tooln1.engine.steps_full", "Engine steps without room for more: every place taken, or the token budget spent.", () => engine.Snapshot().FullSteps);
        Counter(meter, "tooln1.engine.turns", "Turns of training on the engine's thread, between steps.", () => engine.Snapshot().Turns);
        Counter(meter, "tooln1.engine.turn_milliseconds", "How long these turns took together.", () => (long)engine.Snapshot().TurnTime.TotalMilliseconds);
        Counter(meter, "tooln1.tokens.prompt", "Prompt tokens computed.", () => engine.Snapshot().PromptTokens);
        Counter(meter, "tooln1.tokens.prompt_cached", "Prompt tokens found in the prefix cache.", () => engine.Snapshot().CachedPromptTokens);
        Counter(meter, "tooln1.tokens.generated", "Tokens sampled.", () => engine.Snapshot().GeneratedTokens);
        Counter(meter, "tooln1.tokens.forced", "Tokens that a constraint left no choice about.", () => engine.Snapshot().ForcedTokens);
        Counter(meter, "tooln1.preemptions", "Sequences preempted and recomputed because blocks ran out.", () => engine.Snapshot().Preemptions);
        Counter(meter, "tooln1.requests.finished", "Engine requests finished, by whatever reason.", () => engine.Snapshot().FinishedRequests);
        meter.CreateObservableGauge("tooln1.constraints.schema_cache", () => constraints.CachedBytes, "By", "Memory of compiled schemas, about.");
        meter.CreateObservableGauge("tooln1.constraints.mask_cache", () => constraints.MaskBytes, "By", "Memory of token masks that constraints share, about.");
    }

    private static void Gauge(Meter meter, string name, string description, Func<int> read) =>
        meter.CreateObservableGauge(name, read, description: description);

    private static void Counter(Meter meter, string name, string description, Func<long> read) =>
        meter.CreateObservableCounter(name, read, description: description);
}
