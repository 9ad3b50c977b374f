namespace ToolN1.Engine.Constraints.Automata;

/// <summary>Where within a JSON string a state is, for a string that restricts nothing but its length.</summary>
/// <param name="Character">State of <see cref="JsonStringTable"/>; 0 is between characters.</param>
/// <param name="Left">Characters that may still begin.</param>
/// <param name="IsCanonical">Only necessary escapes are allowed.</param>
internal readonly record struct StringPlace(int Character, int Left, bool IsCanonical);
