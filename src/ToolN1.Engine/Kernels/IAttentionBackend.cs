using ToolN1.Engine.Cache;
using ToolN1.Engine.Model;

namespace ToolN1.Engine.Kernels;

/// <summary>A way to attend over the paged cache.</summary>
internal interface IAttentionBackend : IDisposable
{
    /// <summary>Prepares one step. The result writes each layer's keys and values to their slots, then attends.</summary>
    /// <param name="pool">The cache.</param>
    /// <param name="segments">The batch's sequences, in row order.</param>
    /// <param name="slots">Cache slot of each row: block × block size + offset.</param>
    /// <returns>Attention for this step only; valid in the current dispose scope.</returns>
    IAttention Begin(KvCachePool pool, IReadOnlyList<AttentionSegment> segments, long[] slots);
}
