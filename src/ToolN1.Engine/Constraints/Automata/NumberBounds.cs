namespace ToolN1.Engine.Constraints.Automata;

/// <summary>What a number must fulfil.</summary>
/// <param name="Low">Lower bound, or null.</param>
/// <param name="LowExclusive">Whether the bound itself is out.</param>
/// <param name="High">Upper bound, or null.</param>
/// <param name="HighExclusive">Whether the bound itself is out.</param>
/// <param name="MaxFraction">Digits after the point; 0 for integers.</param>
/// <param name="MultipleOf">For integers: a divisor; 1 is none.</param>
internal sealed record NumberBounds(
    DecimalNumber? Low, bool LowExclusive, DecimalNumber? High, bool HighExclusive, int MaxFraction, int MultipleOf);
