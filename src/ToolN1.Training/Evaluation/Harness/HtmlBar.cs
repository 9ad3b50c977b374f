namespace ToolN1.Training.Evaluation.Harness;

/// <summary>A bar of a plot.</summary>
/// <param name="Name">Beside it on the left.</param>
/// <param name="Share">Its length, in 0..1.</param>
/// <param name="Label">Beside it on the right.</param>
/// <param name="Low">Lower end of an interval to draw over it, in 0..1; null for none.</param>
/// <param name="High">Upper end of the interval.</param>
internal sealed record HtmlBar(string Name, double Share, string Label, double? Low = null, double? High = null);
