namespace ToolN1.Training.Planning;

/// <summary>What a run will need, in bytes by kind, at its peak: in the machine's memory on a CPU, in the GPU's on a GPU.</summary>
/// <param name="Items">Kinds and bytes; they add up to <see cref="Total"/>.</param>
public sealed record MemoryPlan(IReadOnlyList<MemoryItem> Items)
{
    /// <summary>All bytes.</summary>
    public long Total => Items.Sum(item => item.Bytes);
}
