namespace ToolN1.Training.Data.Synthetic;

/// <summary>A parameter's value: as it is said in the request and as it stands in the call.</summary>
/// <param name="Spoken">The words of the request.</param>
/// <param name="Json">JSON text of the argument.</param>
internal sealed record SampledValue(string Spoken, string Json);
