namespace ToolN1.Training.Planning;

/// <summary>A change that makes a run smaller.</summary>
/// <param name="Change">Field and value.</param>
/// <param name="TotalBytes">What the run takes with this change and those before it.</param>
public sealed record MemoryRemedy(string Change, long TotalBytes);
