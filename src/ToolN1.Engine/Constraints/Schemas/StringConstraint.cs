using System.Text.Json;
using ToolN1.Engine.Constraints.Automata;
using ToolN1.Engine.Constraints.Patterns;

namespace ToolN1.Engine.Constraints.Schemas;

/// <summary>What a view asks of a string.</summary>
/// <param name="Min">Fewest characters.</param>
/// <param name="Max">Most characters.</param>
/// <param name="Patterns">Patterns and formats, all of which hold.</param>
/// <param name="OnlyFormat">The format, where nothing else is asked.</param>
internal sealed record StringConstraint(int Min, int Max, IReadOnlyList<PatternDfa> Patterns, string? OnlyFormat)
{
    /// <summary>Reads it.</summary>
    public static StringConstraint Read(IReadOnlyList<SchemaPart> view, CompileGuard guard)
    {
        int min = 0;
        int max = int.MaxValue;
        Dictionary<string, PatternDfa> patterns = [];
        foreach (SchemaPart part in view)
        {
            min = Math.Max(min, part.GetCount("minLength") ?? 0);
            max = Math.Min(max, part.GetCount("maxLength") ?? int.MaxValue);
            if (min > CountedStringRule.MaxCount)
            {
                throw part.Error("minLength", $"must be at most {CountedStringRule.MaxCount}");
            }

            if (part.Get("pattern") is { } pattern)
            {
                string text = pattern.ValueKind == JsonValueKind.String ? pattern.GetString()! : throw part.Error("pattern", "must be a string");
                patterns.TryAdd("p" + text, PatternCompiler.Compile(text, guard, part.Pointer + "/pattern"));
            }

            // A format speaks of strings only: beside another type it annotates (OpenAPI's int32, double …).
            if (part.Get("format") is { } format && (SchemaKeywords.Types(part) & JsonTypes.String) != 0)
            {
                string name = format.ValueKind == JsonValueKind.String ? format.GetString()! : throw part.Error("format", "must be a string");
                patterns.TryAdd("f" + name, StringFormats.Find(name)
                    ?? throw part.Error("format", $"\"{name}\" cannot be enforced; known are {string.Join(", ", StringFormats.Names)}"));
            }
        }

        string? only = patterns.Count == 1 && min == 0 && max == int.MaxValue && patterns.Keys.First() is ['f', ..] key ? key[1..] : null;
        return new StringConstraint(min, max, [.. patterns.Values], only);
    }

    /// <summary>Whether a string fulfils it.</summary>
    public bool Holds(string value)
    {
        int length = value.EnumerateRunes().Count();
        return length >= Min && length <= Max && Patterns.All(pattern => pattern.Matches(value));
    }
}
