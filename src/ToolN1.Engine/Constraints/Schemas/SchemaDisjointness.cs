using System.Text.Json;

namespace ToolN1.Engine.Constraints.Schemas;

/// <summary>Tells whether no value can fulfil two schemas at once. "False" means that it is not known.</summary>
internal sealed class SchemaDisjointness(SchemaViews views, CompileGuard guard)
{
    private const int MaxDepth = 4;

    // Branches are compared in pairs: each enumeration is read once.
    private readonly Dictionary<string, Enumeration?> _enumerations = [];

    /// <summary>Compares two flat views.</summary>
    public bool AreDisjoint(IReadOnlyList<SchemaPart> a, IReadOnlyList<SchemaPart> b) => AreDisjoint(a, b, 0);

    private bool AreDisjoint(IReadOnlyList<SchemaPart> a, IReadOnlyList<SchemaPart> b, int depth)
    {
        JsonTypes common = Types(a) & Types(b);
        if (common == JsonTypes.None)
        {
            return true;
        }

        if (Literals(a) is { } left && Literals(b) is { } right)
        {
            return !Meet(left, right);
        }

        return common == JsonTypes.Object && depth < MaxDepth && Required(a).Intersect(Required(b)).Any(name => AreApart(a, b, name, depth));
    }

    private bool AreApart(IReadOnlyList<SchemaPart> a, IReadOnlyList<SchemaPart> b, string name, int depth)
    {
        IReadOnlyList<SchemaPart>? left = views.Extend([], Property(a, name));
        IReadOnlyList<SchemaPart>? right = views.Extend([], Property(b, name));
        return left is null || right is null || AreDisjoint(left, right, depth + 1);
    }

    private static IEnumerable<SchemaPart> Property(IReadOnlyList<SchemaPart> view, string name)
    {
        foreach (SchemaPart part in view)
        {
            if (part.Get("properties") is { ValueKind: JsonValueKind.Object } properties && properties.TryGetProperty(name, out JsonElement schema))
            {
                yield return part.At(schema, "properties", name);
            }
        }
    }

    private static IEnumerable<string> Required(IReadOnlyList<SchemaPart> view) =>
        view.SelectMany(part => part.Get("required") is { ValueKind: JsonValueKind.Array } names
            ? names.EnumerateArray().Where(name => name.ValueKind == JsonValueKind.String).Select(name => name.GetString()!)
            : []);

    private JsonTypes Types(IReadOnlyList<SchemaPart> view)
    {
        JsonTypes types = view.Aggregate(JsonTypes.All, (sum, part) => sum & SchemaKeywords.Types(part));
        return Literals(view) is { } values ? values.Types & types : types;
    }

    private Enumeration? Literals(IReadOnlyList<SchemaPart> view)
    {
        foreach (SchemaPart part in view)
        {
            if (!_enumerations.TryGetValue(part.Pointer, out Enumeration? known))
            {
                known = part.Get("const") is { } value ? Read([value], part.Pointer)
                    : part.Get("enum") is { ValueKind: JsonValueKind.Array } values ? Read(values.EnumerateArray(), part.Pointer)
                    : null;
                _enumerations.Add(part.Pointer, known);
            }

            if (known is not null)
            {
                return known;
            }
        }

        return null;
    }

    private Enumeration Read(IEnumerable<JsonElement> values, string pointer)
    {
        HashSet<string> texts = new(StringComparer.Ordinal);
        JsonTypes types = JsonTypes.None;
        foreach (JsonElement value in values)
        {
            guard.CheckTime(pointer);
            types |= ValueCompiler.TypeOf(value);
            texts.Add(JsonSpelling.Canonical(value));
        }

        return new Enumeration(texts, types, pointer);
    }

    private bool Meet(Enumeration a, Enumeration b)
    {
        (Enumeration few, Enumeration many) = a.Texts.Count <= b.Texts.Count ? (a, b) : (b, a);
        foreach (string text in few.Texts)
        {
            guard.CheckTime(few.Pointer);
            if (many.Texts.Contains(text))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The values of a const or an enum.</summary>
    /// <param name="Texts">One text for each value, equal where the values are.</param>
    /// <param name="Types">Their types.</param>
    /// <param name="Pointer">Where they stand.</param>
    private sealed record Enumeration(HashSet<string> Texts, JsonTypes Types, string Pointer);
}
