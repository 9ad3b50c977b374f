using System.Text;
using System.Text.Json;
using ToolN1.Engine.Constraints.Automata;
using ToolN1.Engine.Constraints.Patterns;

namespace ToolN1.Engine.Constraints.Schemas;

/// <summary>Compiles a flat view without open anyOf or oneOf: one rule for each type that it allows, or its enumeration.</summary>
internal sealed class ValueCompiler
{
    private readonly CompileGuard _guard;
    private readonly ContainerCompiler _containers;

    /// <summary>Creates a compiler.</summary>
    /// <param name="style">White space.</param>
    /// <param name="guard">Budget.</param>
    /// <param name="compile">Compiles what a value further in has to fulfil.</param>
    public ValueCompiler(JsonStyle style, CompileGuard guard, Func<IReadOnlyList<SchemaPart>, string, Rule> compile)
    {
        Style = style;
        _guard = guard;
        _containers = new ContainerCompiler(style, guard, compile);
    }

    /// <summary>The rule that matches nothing.</summary>
    public static Rule Nothing { get; } = new LiteralSetRule([]);

    /// <summary>White space of what is generated.</summary>
    public JsonStyle Style { get; }

    /// <summary>The type of a value.</summary>
    public static JsonTypes TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => JsonTypes.Null,
        JsonValueKind.True or JsonValueKind.False => JsonTypes.Boolean,
        JsonValueKind.String => JsonTypes.String,
        JsonValueKind.Array => JsonTypes.Array,
        JsonValueKind.Object => JsonTypes.Object,
        _ => DecimalNumber.TryParse(value.GetRawText(), out DecimalNumber number) && number.IsInteger ? JsonTypes.Integer : JsonTypes.Fraction,
    };

    /// <summary>The alternatives of a view.</summary>
    public List<Rule> Compile(IReadOnlyList<SchemaPart> view, string pointer)
    {
        JsonTypes types = view.Aggregate(JsonTypes.All, (sum, part) => sum & SchemaKeywords.Types(part));
        List<(JsonElement Value, SchemaPart Part)>? literals = Literals(view);
        if (literals is not null)
        {
            return [CompileLiterals(literals, view, types, pointer)];
        }

        List<Rule> rules = [];
        if ((types & (JsonTypes.Null | JsonTypes.Boolean)) != 0)
        {
            IEnumerable<string> words = ((types & JsonTypes.Null) != 0 ? ["null"] : Enumerable.Empty<string>())
                .Concat((types & JsonTypes.Boolean) != 0 ? ["true", "false"] : []);
            rules.Add(new LiteralSetRule([.. words.Select(Encoding.UTF8.GetBytes)]));
        }

        if ((types & JsonTypes.Number) != 0)
        {
            rules.Add(Numbers(view, types));
        }

        if ((types & JsonTypes.String) != 0)
        {
            rules.Add(Strings(view, pointer));
        }

        if ((types & JsonTypes.Object) != 0)
        {
            rules.Add(_containers.Object(view, pointer));
        }

        if ((types & JsonTypes.Array) != 0)
        {
            rules.Add(_containers.Array(view, pointer));
        }

        return rules;
    }

    private static List<(JsonElement Value, SchemaPart Part)>? Literals(IReadOnlyList<SchemaPart> view)
    {
        List<(JsonElement Value, SchemaPart Part)>? common = null;
        foreach (SchemaPart part in view)
        {
            foreach (string keyword in new[] { "const", "enum" })
            {
                if (part.Get(keyword) is not { } value)
                {
                    continue;
                }

                if (keyword == "enum" && value.ValueKind != JsonValueKind.Array)
                {
                    throw part.Error("enum", "must be an array");
                }

                List<(JsonElement Value, SchemaPart Part)> here =
                    keyword == "const" ? [(value, part)] : [.. value.EnumerateArray().Select(item => (item, part))];
                if (common is null)
                {
                    common = here;
                }
                else
                {
                    HashSet<string> spellings = [.. here.Select(item => JsonSpelling.Of(item.Value))];
                    common.RemoveAll(item => !spellings.Contains(JsonSpelling.Of(item.Value)));
                }
            }
        }

        return common;
    }

    private LiteralSetRule CompileLiterals(
        List<(JsonElement Value, SchemaPart Part)> literals, IReadOnlyList<SchemaPart> view, JsonTypes types, string pointer)
    {
        Lazy<StringConstraint> strings = new(() => StringConstraint.Read(view, _guard));
        Lazy<NumberConstraint> numbers = new(() => NumberConstraint.Read(view, JsonTypes.Number));
        HashSet<string> spellings = [];
        List<byte[]> kept = [];
        foreach ((JsonElement value, SchemaPart part) in literals)
        {
            _guard.CheckTime(pointer);
            JsonTypes type = TypeOf(value);
            if (type is JsonTypes.Object or JsonTypes.Array && (types & type) != 0)
            {
                ContainerCompiler.RefuseKeywords(view, part);
            }

            bool fits = (types & type) != 0
                && (type != JsonTypes.String || strings.Value.Holds(value.GetString()!))
                && ((type & JsonTypes.Number) == 0 || numbers.Value.Holds(value.GetRawText()));
            if (fits && spellings.Add(JsonSpelling.Of(value)))
            {
                kept.Add(Encoding.UTF8.GetBytes(JsonSpelling.Of(value)));
            }
        }

        LiteralSetRule rule = new(kept);
        _guard.AddStates(rule.StoredStates, pointer);
        return rule;
    }

    private TableRule Numbers(IReadOnlyList<SchemaPart> view, JsonTypes types)
    {
        NumberConstraint constraint = NumberConstraint.Read(view, types);
        TableRule rule = constraint.IsUnbounded ? NumberRules.AnyNumber : NumberRules.Build(constraint.Bounds);
        _guard.AddStates(rule.StoredStates, view[0].Pointer);
        return rule;
    }

    private Rule Strings(IReadOnlyList<SchemaPart> view, string pointer)
    {
        StringConstraint constraint = StringConstraint.Read(view, _guard);
        if (constraint.Patterns.Count == 0)
        {
            return constraint.Max == int.MaxValue && constraint.Min == 0
                ? CountedStringRule.Any
                : new CountedStringRule(constraint.Min, constraint.Max);
        }

        if (constraint.OnlyFormat is { } format)
        {
            return StringFormats.Rule(format);
        }

        PatternDfa dfa = constraint.Patterns[0];
        foreach (PatternDfa other in constraint.Patterns.Skip(1))
        {
            dfa = dfa.Intersect(other, _guard, pointer);
        }

        if (constraint.Min > 0 || constraint.Max < int.MaxValue)
        {
            int? max = constraint.Max == int.MaxValue ? null : constraint.Max;
            dfa = dfa.Intersect(PatternDfa.Length(constraint.Min, max, _guard, pointer), _guard, pointer);
        }

        return PatternRules.Build(dfa, _guard, pointer);
    }
}
