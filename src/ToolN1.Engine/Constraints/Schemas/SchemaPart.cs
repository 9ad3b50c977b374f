using System.Text.Json;

namespace ToolN1.Engine.Constraints.Schemas;

/// <summary>One subschema that a value has to fulfil, among others (allOf, references and chosen branches put several at one place).</summary>
/// <param name="Schema">An object, or true or false.</param>
/// <param name="Pointer">Where it stands in the document.</param>
/// <param name="AnyOfChosen">Its anyOf is accounted for by another part.</param>
/// <param name="OneOfChosen">Its oneOf is.</param>
internal sealed record SchemaPart(JsonElement Schema, string Pointer, bool AnyOfChosen = false, bool OneOfChosen = false)
{
    /// <summary>Names the part within its document.</summary>
    public string Key => Pointer + (AnyOfChosen ? " a" : "") + (OneOfChosen ? " o" : "");

    /// <summary>The part under a keyword.</summary>
    public SchemaPart At(JsonElement element, params ReadOnlySpan<string> path)
    {
        string pointer = Pointer;
        foreach (string step in path)
        {
            pointer += "/" + step.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
        }

        return new SchemaPart(element, pointer);
    }

    /// <summary>A keyword's value.</summary>
    public JsonElement? Get(string keyword) =>
        Schema.ValueKind == JsonValueKind.Object && Schema.TryGetProperty(keyword, out JsonElement value) ? value : null;

    /// <summary>A keyword's value, which has to be a non-negative integer.</summary>
    /// <exception cref="ConstraintException">It is not.</exception>
    public int? GetCount(string keyword)
    {
        if (Get(keyword) is not { } value)
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number >= 0 && Math.Floor(number) == number)
        {
            return (int)Math.Min(number, int.MaxValue);
        }

        throw Error(keyword, "must be a non-negative integer");
    }

    /// <summary>An error at a keyword.</summary>
    public ConstraintException Error(string keyword, string reason) => new(Pointer + "/" + keyword, reason);
}
