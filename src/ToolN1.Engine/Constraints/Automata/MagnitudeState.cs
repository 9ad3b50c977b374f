namespace ToolN1.Engine.Constraints.Automata;

/// <summary>How far an unsigned decimal number is written.</summary>
/// <param name="Digits">Digits before the point.</param>
/// <param name="Fraction">Digits after the point; -1 before the point.</param>
/// <param name="Low">How the digits so far compare with those of the lower bound.</param>
/// <param name="High">How they compare with those of the upper bound.</param>
/// <param name="Remainder">Of the integer so far by the divisor.</param>
/// <param name="IsZero">The integer part is a single 0.</param>
internal readonly record struct MagnitudeState(int Digits, int Fraction, int Low, int High, int Remainder, bool IsZero);
