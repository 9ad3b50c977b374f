using System.Text.Json;
using ToolN1.Engine.Constraints.Automata;

namespace ToolN1.Engine.Constraints.Schemas;

/// <summary>Tells whether no value can fulfil two schemas at once. "False" means that it is not known.</summary>
internal sealed class SchemaDisjointness(SchemaViews views)
{
    private const int MaxDepth = 4;

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
            return !left.Any(value => right.Any(other => AreEqual(value, other)));
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

    private static JsonTypes Types(IReadOnlyList<SchemaPart> view)
    {
        JsonTypes types = view.Aggregate(JsonTypes.All, (sum, part) => sum & SchemaKeywords.Types(part));
        return Literals(view) is { } values ? values.Aggregate(JsonTypes.None, (sum, value) => sum | ValueCompiler.TypeOf(value)) & types : types;
    }

    private static List<JsonElement>? Literals(IReadOnlyList<SchemaPart> view)
    {
        foreach (SchemaPart part in view)
        {
            if (part.Get("const") is { } value)
            {
                return [value];
            }

            if (part.Get("enum") is { ValueKind: JsonValueKind.Array } values)
            {
                return [.. values.EnumerateArray()];
            }
        }

        return null;
    }

    private static bool AreEqual(JsonElement a, JsonElement b) =>
        a.ValueKind == JsonValueKind.Number && b.ValueKind == JsonValueKind.Number
            ? DecimalNumber.TryParse(a.GetRawText(), out DecimalNumber left) && DecimalNumber.TryParse(b.GetRawText(), out DecimalNumber right) && left == right
            : JsonElement.DeepEquals(a, b);
}
