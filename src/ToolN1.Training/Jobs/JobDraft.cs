using ToolN1.Training.Planning;

namespace ToolN1.Training.Jobs;

/// <summary>A job as it would be.</summary>
/// <param name="StartModel">The version that it would start from.</param>
/// <param name="Method">Name of its method.</param>
/// <param name="Settings">The method's settings, resolved, as JSON.</param>
/// <param name="Plan">The memory that it would need; null where that is not known.</param>
public sealed record JobDraft(string StartModel, string Method, string Settings, MemoryCheck? Plan);
