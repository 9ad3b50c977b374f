using ToolN1.Engine.Sampling;
using ToolN1.Engine.Scheduling;

namespace ToolN1.Engine.Execution;

/// <summary>What a step made of one sequence.</summary>
/// <param name="Sequence">The sequence.</param>
/// <param name="Token">The next token; null while a prompt is incomplete, or when none was wanted.</param>
/// <param name="Error">Why no token could be chosen; the sequence ends with it.</param>
internal readonly record struct StepResult(Sequence Sequence, SampledToken? Token, Exception? Error);
