namespace ToolN1.Training.Planning;

/// <summary>A kind of memory.</summary>
/// <param name="Kind">snake_case.</param>
/// <param name="What">What it is made of.</param>
/// <param name="Bytes">How much.</param>
public sealed record MemoryItem(string Kind, string What, long Bytes);
