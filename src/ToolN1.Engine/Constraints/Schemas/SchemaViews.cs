using System.Text.Json;

namespace ToolN1.Engine.Constraints.Schemas;

/// <summary>Resolves references and allOf: what a value at one place has to fulfil, as a flat list of parts.</summary>
internal sealed class SchemaViews(JsonElement root, CompileGuard guard)
{
    /// <summary>Adds parts to a flat list; null when one of them is false, so that nothing fulfils them.</summary>
    /// <param name="flat">Parts whose references and allOf are in the list already.</param>
    /// <param name="more">Further parts.</param>
    /// <exception cref="ConstraintException">A bad reference, a keyword that cannot be enforced, or a reference to itself.</exception>
    public IReadOnlyList<SchemaPart>? Extend(IReadOnlyList<SchemaPart> flat, IEnumerable<SchemaPart> more)
    {
        Dictionary<string, SchemaPart> known = flat.ToDictionary(part => part.Pointer);
        List<SchemaPart> order = [.. flat];
        return more.All(part => Add(part, known, order, [])) ? order : null;
    }

    private bool Add(SchemaPart part, Dictionary<string, SchemaPart> flat, List<SchemaPart> order, HashSet<string> underway)
    {
        if (part.Schema.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return part.Schema.ValueKind == JsonValueKind.True;
        }

        if (underway.Contains(part.Pointer))
        {
            throw new ConstraintException(part.Pointer, "the schema refers to itself without anything in between");
        }

        if (flat.TryGetValue(part.Pointer, out SchemaPart? known))
        {
            // A branch of this very part's anyOf that leads back to the part: the recursion consumes nothing.
            return known.Key == part.Key ? true
                : throw new ConstraintException(part.Pointer, "the schema refers to itself without anything in between");
        }

        // Each step of a chain is a frame of the stack, whose end no catch would survive.
        if (underway.Count >= guard.Budget.MaxSchemaDepth)
        {
            throw new ConstraintException(part.Pointer, $"references and allOf lead on more than the {guard.Budget.MaxSchemaDepth} times that they may");
        }

        guard.AddSubschema(part.Pointer);
        SchemaKeywords.Check(part);
        flat.Add(part.Pointer, part);
        order.Add(part);
        underway.Add(part.Pointer);
        bool holds = true;
        if (part.Get("$ref") is { } reference)
        {
            holds = Add(Resolve(part, reference), flat, order, underway);
        }

        if (holds && part.Get("allOf") is { } all)
        {
            int index = 0;
            foreach (JsonElement element in Branches(part, "allOf", all))
            {
                holds = holds && Add(part.At(element, "allOf", index++.ToString()), flat, order, underway);
            }
        }

        underway.Remove(part.Pointer);
        return holds;
    }

    /// <summary>The branches of allOf, anyOf or oneOf.</summary>
    /// <exception cref="ConstraintException">Not an array, or empty.</exception>
    public static IEnumerable<JsonElement> Branches(SchemaPart part, string keyword, JsonElement value) =>
        value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0
            ? value.EnumerateArray()
            : throw part.Error(keyword, "must be an array with at least one schema");

    private SchemaPart Resolve(SchemaPart part, JsonElement reference)
    {
        string? text = reference.ValueKind == JsonValueKind.String ? reference.GetString() : null;
        if (text is null || (text != "#" && !text.StartsWith("#/", StringComparison.Ordinal)))
        {
            throw part.Error("$ref", "only references within the document (\"#\", \"#/…\") can be followed");
        }

        JsonElement element = root;
        string pointer = "";
        foreach (string raw in text.Split('/').Skip(1))
        {
            string step = Uri.UnescapeDataString(raw).Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            pointer += "/" + step.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
            bool found = element.ValueKind switch
            {
                JsonValueKind.Object => element.TryGetProperty(step, out element),
                JsonValueKind.Array => int.TryParse(step, out int index) && index >= 0 && index < element.GetArrayLength() && TryIndex(ref element, index),
                _ => false,
            };
            if (!found)
            {
                throw part.Error("$ref", $"\"{text}\" leads nowhere");
            }
        }

        return new SchemaPart(element, pointer);
    }

    private static bool TryIndex(ref JsonElement element, int index)
    {
        element = element[index];
        return true;
    }
}
