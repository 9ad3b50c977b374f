using System.Text;
using System.Text.Json;
using ToolN1.Engine.Constraints.Automata;

namespace ToolN1.Engine.Constraints.Schemas;

/// <summary>
/// Compiles JSON Schema (draft 2020-12) to rules. Where the schema leaves open whether an object with declared
/// properties, or an array with prefixItems, may hold more, it may not: models invent less, and the result is still valid.
/// </summary>
internal sealed class SchemaCompiler
{
    private const int MaxRounds = 200;
    private readonly CompileGuard _guard;
    private readonly SchemaViews _views;
    private readonly SchemaDisjointness _disjointness;
    private readonly ValueCompiler _values;
    private readonly Dictionary<string, UnionRule> _known = [];
    private int _depth;

    private SchemaCompiler(JsonElement root, JsonStyle style, CompileGuard guard)
    {
        _guard = guard;
        _views = new SchemaViews(root, guard);
        _disjointness = new SchemaDisjointness(_views, guard);
        _values = new ValueCompiler(style, guard, Compile);
    }

    /// <summary>Compiles a schema.</summary>
    /// <param name="schemaJson">The schema's text.</param>
    /// <param name="onlyObjects">Whether values other than objects are out, whatever the schema says (tool arguments).</param>
    /// <param name="style">White space of the generated JSON.</param>
    /// <param name="budget">Limits.</param>
    /// <exception cref="ConstraintException">Malformed, not enforceable, unsatisfiable or over budget.</exception>
    public static Rule Compile(string schemaJson, bool onlyObjects, JsonStyle style, ConstraintBudget budget)
    {
        if (Encoding.UTF8.GetByteCount(schemaJson) > budget.MaxSchemaBytes)
        {
            throw new ConstraintException("", $"the schema is larger than the {budget.MaxSchemaBytes} bytes that one may have");
        }

        using JsonDocument document = Parse(schemaJson, budget);
        CompileGuard guard = new(budget);
        SchemaCompiler compiler = new(document.RootElement, style, guard);
        using JsonDocument objects = JsonDocument.Parse("""{"type":"object"}""");
        SchemaPart root = new(document.RootElement, "");
        Rule rule = compiler.Compile(onlyObjects ? [root, new SchemaPart(objects.RootElement, " object")] : [root], "");
        Settle(rule, guard);
        return rule.MinDepth <= budget.MaxNesting
            ? rule
            : throw new ConstraintException("", rule.MinDepth >= Rule.Never
                ? "no finite value fulfils the schema"
                : $"every value nests deeper than the {budget.MaxNesting} levels that one may have");
    }

    /// <summary>Brings the minima of a rule and all below it to their fixed point.</summary>
    public static void Settle(Rule root, CompileGuard guard)
    {
        HashSet<Rule> seen = [root];
        List<Rule> order = [root];
        for (int i = 0; i < order.Count; i++)
        {
            order.AddRange(order[i].Callees.Where(seen.Add));
        }

        // Callees mostly come later in the list, so that going backwards settles a tree in one round.
        bool changed = true;
        for (int round = 0; changed; round++)
        {
            changed = false;
            for (int i = order.Count - 1; i >= 0; i--)
            {
                guard.CheckTime("");
                changed |= order[i].UpdateMinima();
            }

            if (round > MaxRounds)
            {
                throw new ConstraintException("", "the schema's recursion is too entangled");
            }
        }
    }

    private static JsonDocument Parse(string json, ConstraintBudget budget)
    {
        try
        {
            return JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = budget.MaxSchemaDepth * 2, AllowDuplicateProperties = false });
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The second is what the search for duplicate names says of a name that is half a surrogate pair.
            throw new ConstraintException("", $"the schema is not JSON without duplicate keys that nests at most {budget.MaxSchemaDepth * 2} levels: {exception.Message}");
        }
    }

    private Rule Compile(IReadOnlyList<SchemaPart> parts, string pointer)
    {
        if (_views.Extend([], parts) is not { } view)
        {
            return ValueCompiler.Nothing;
        }

        return view.Count == 0 ? _values.Style.Any : CompileView(view, pointer);
    }

    private UnionRule CompileView(IReadOnlyList<SchemaPart> view, string pointer)
    {
        string key = string.Join('\n', view.Select(part => part.Key).Order(StringComparer.Ordinal));
        if (_known.TryGetValue(key, out UnionRule? known))
        {
            return known;
        }

        UnionRule rule = new();
        _known.Add(key, rule);
        if (++_depth > _guard.Budget.MaxSchemaDepth)
        {
            throw new ConstraintException(pointer, $"the schema nests deeper than the {_guard.Budget.MaxSchemaDepth} levels that one may have");
        }

        _guard.AddSubschema(pointer);
        rule.Set(OpenAnyOf(view, pointer) ?? OpenOneOf(view, pointer) ?? _values.Compile(view, pointer));
        _depth--;
        return rule;
    }

    private List<Rule>? OpenAnyOf(IReadOnlyList<SchemaPart> view, string pointer)
    {
        SchemaPart? part = view.FirstOrDefault(part => !part.AnyOfChosen && part.Get("anyOf") is not null);
        if (part is null)
        {
            return null;
        }

        List<SchemaPart> rest = [.. view.Select(other => ReferenceEquals(other, part) ? part with { AnyOfChosen = true } : other)];
        List<Rule> alternatives = [];
        int index = 0;
        foreach (JsonElement branch in SchemaViews.Branches(part, "anyOf", part.Get("anyOf")!.Value))
        {
            if (_views.Extend(rest, [part.At(branch, "anyOf", index++.ToString())]) is { } view2)
            {
                alternatives.Add(CompileView(view2, pointer));
            }
        }

        return alternatives;
    }

    private List<Rule>? OpenOneOf(IReadOnlyList<SchemaPart> view, string pointer)
    {
        SchemaPart? part = view.FirstOrDefault(part => !part.OneOfChosen && part.Get("oneOf") is not null);
        if (part is null)
        {
            return null;
        }

        List<SchemaPart> rest = [.. view.Select(other => ReferenceEquals(other, part) ? part with { OneOfChosen = true } : other)];
        List<IReadOnlyList<SchemaPart>> branches = [];
        int index = 0;
        foreach (JsonElement branch in SchemaViews.Branches(part, "oneOf", part.Get("oneOf")!.Value))
        {
            if (_views.Extend(rest, [part.At(branch, "oneOf", index++.ToString())]) is { } view2)
            {
                branches.Add(view2);
            }
        }

        for (int i = 0; i < branches.Count; i++)
        {
            for (int j = i + 1; j < branches.Count; j++)
            {
                _guard.CheckTime(pointer);
                if (!_disjointness.AreDisjoint(branches[i], branches[j]))
                {
                    throw part.Error("oneOf", $"branches {i} and {j} may hold for the same value, and exactly one cannot be enforced; use anyOf, or tell them apart by type, enum, const or a required property");
                }
            }
        }

        return [.. branches.Select(branch => CompileView(branch, pointer))];
    }
}
