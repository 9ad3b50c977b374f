using ToolN1.Engine;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Execution;
using ToolN1.Engine.Tokenization;

namespace ToolN1.Training.Grpo;

/// <summary>Where a run samples and trains: a server's engine, or one of the run's own.</summary>
/// <param name="Engine">Samples, as for any client.</param>
/// <param name="Models">Grants the lease under which the policy is trained and published.</param>
/// <param name="Tokenizer">The model's.</param>
/// <param name="Format">The chat format that prompts are rendered in.</param>
/// <param name="StartVersion">
/// Version under which the weights of the run's <c>model</c> are served, which stays served until the run has ended: an
/// adapter is trained over it and shares its memory. Null where nobody knows: an adapter's base is read from the folder then,
/// and must be what is live.
/// </param>
/// <param name="BaseName">What an adapter names as its base; null for the run's <c>model</c> folder.</param>
/// <param name="PlannedBytes">What the process was planned to take in the machine's memory; a step that finds clearly more warns. Null compares nothing.</param>
public sealed record GrpoHost(
    IInferenceEngine Engine, IModelHost Models, Tokenizer Tokenizer, IChatFormat Format, string? StartVersion = null, string? BaseName = null, long? PlannedBytes = null);
