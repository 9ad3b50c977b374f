namespace ToolN1.Engine.Constraints.Automata;

/// <summary>How much of a vocabulary can follow from a rule's states, which decides how their masks are found.</summary>
internal enum RuleShape
{
    /// <summary>Little: the vocabulary's tree is walked.</summary>
    Narrow,

    /// <summary>A quoted JSON string without calls; nothing but its closing quote ends it.</summary>
    String,

    /// <summary>Text that is free until a tag; final states lead nowhere, or the rule is final throughout.</summary>
    FreeText,
}
