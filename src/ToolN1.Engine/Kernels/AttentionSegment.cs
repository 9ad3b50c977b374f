namespace ToolN1.Engine.Kernels;

/// <summary>One sequence's part of a flattened batch.</summary>
/// <param name="FirstRow">Its first row in the batch.</param>
/// <param name="Count">Its rows: consecutive positions, the last one being ContextLength − 1.</param>
/// <param name="ContextLength">Positions in the cache once this step's keys are written.</param>
/// <param name="Blocks">Its cache blocks, first positions first.</param>
internal readonly record struct AttentionSegment(int FirstRow, int Count, int ContextLength, int[] Blocks);
