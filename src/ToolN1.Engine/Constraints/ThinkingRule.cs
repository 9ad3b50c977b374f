using ToolN1.Engine.Constraints.Automata;

namespace ToolN1.Engine.Constraints;

/// <summary>The thinking part of a grammar and what replaces it when its budget is used up.</summary>
/// <param name="Text">Free text until the closing tag; state k has seen k bytes of the tag.</param>
/// <param name="Closing">The closing tag alone; state k has seen k bytes of it.</param>
/// <param name="Budget">Tokens that thinking may take.</param>
internal sealed record ThinkingRule(Rule Text, Rule Closing, int Budget);
