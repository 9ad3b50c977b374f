using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using ToolN1.Engine.Constraints.Automata;
using ToolN1.Engine.Constraints.Patterns;

namespace ToolN1.Engine.Constraints.Schemas;

/// <summary>Compiles what a view asks of an object or an array.</summary>
internal sealed class ContainerCompiler(JsonStyle style, CompileGuard guard, Func<IReadOnlyList<SchemaPart>, string, Rule> compile)
{
    private const int MaxProperties = 20_000;
    private const int MaxPrefixItems = 20_000;

    /// <summary>An enumeration beside keywords that look into objects or arrays is not checked against them, so it is refused.</summary>
    public static void RefuseKeywords(IReadOnlyList<SchemaPart> view, SchemaPart literals)
    {
        string[] keywords = ["properties", "required", "additionalProperties", "patternProperties", "minProperties", "maxProperties", "items", "prefixItems", "minItems", "maxItems"];
        foreach (SchemaPart part in view)
        {
            if (keywords.FirstOrDefault(keyword => part.Get(keyword) is not null) is { } found)
            {
                throw part.Error(found, $"cannot be enforced beside the objects or arrays enumerated at {literals.Pointer}");
            }
        }
    }

    /// <summary>The rule of the objects.</summary>
    public Rule Object(IReadOnlyList<SchemaPart> view, string pointer)
    {
        // 1. Names in the order in which the schema brings them, then required ones that are declared nowhere.
        HashSet<string> required = [.. view.SelectMany(Required)];
        List<string> names = [.. view.SelectMany(part => Members(part, "properties").Select(member => member.Name)).Concat(view.SelectMany(Required)).Distinct()];
        if (names.Count > MaxProperties)
        {
            throw new ConstraintException(pointer, $"an object declares more than the {MaxProperties} properties that one may have");
        }

        List<(SchemaPart Part, string Pattern, JsonElement Schema, PatternDfa Dfa)> patterns = [.. view.SelectMany(PatternsOf)];
        List<ObjectProperty> properties = [];
        foreach (string name in names)
        {
            guard.CheckTime(pointer);
            List<SchemaPart> value = [.. view.SelectMany(part => Value(part, name, patterns))];
            Rule rule = compile(value, pointer + "/properties/" + name);
            if (rule != ValueCompiler.Nothing || required.Contains(name))
            {
                properties.Add(new ObjectProperty(Encoding.UTF8.GetBytes(JsonSpelling.Quote(name)), rule, required.Contains(name)));
            }
        }

        // 2. Names that are not declared. 3. Bounds.
        List<(Rule Key, Rule Value)> extras = Extras(view, names, patterns, pointer);
        int min = view.Max(part => part.GetCount("minProperties") ?? 0);
        int max = view.Min(part => part.GetCount("maxProperties") ?? int.MaxValue);
        if (extras.Count > 0 && min > required.Count + 1)
        {
            SchemaPart part = view.First(part => part.GetCount("minProperties") == min);
            throw part.Error("minProperties", "cannot be enforced where undeclared properties are allowed: a name may come twice");
        }

        ObjectRule result = new(style, properties, extras, min, max);
        guard.AddStates(result.StoredStates, pointer);
        return result;
    }

    /// <summary>The rule of the arrays.</summary>
    public Rule Array(IReadOnlyList<SchemaPart> view, string pointer)
    {
        int min = view.Max(part => part.GetCount("minItems") ?? 0);
        int max = view.Min(part => part.GetCount("maxItems") ?? int.MaxValue);
        if (min > ArrayRule.MaxCount)
        {
            throw new ConstraintException(pointer, $"minItems must be at most {ArrayRule.MaxCount}");
        }

        (SchemaPart Part, IReadOnlyList<JsonElement> Items)[] prefixes = [.. view.Select(part => (part, Prefix(part)))];
        (SchemaPart longest, IReadOnlyList<JsonElement> leading) = prefixes.MaxBy(entry => entry.Items.Count);
        int prefix = leading.Count;
        if (prefix > MaxPrefixItems)
        {
            throw longest.Error(PrefixKeyword(longest), $"an array declares more than the {MaxPrefixItems} leading items that one may have");
        }

        Rule[] first = new Rule[prefix];
        for (int i = 0; i < prefix; i++)
        {
            guard.CheckTime(pointer);
            first[i] = compile([.. prefixes.SelectMany(entry => Item(entry.Part, entry.Items, i))], pointer + "/prefixItems/" + i);
        }

        bool isOpen = prefix == 0 || view.Any(part => part.Get("items") is { ValueKind: not JsonValueKind.Array });
        Rule? rest = isOpen ? compile([.. prefixes.SelectMany(entry => Item(entry.Part, entry.Items, int.MaxValue))], pointer + "/items") : null;

        // A place that nothing can fill ends the array before it.
        int end = System.Array.IndexOf(first, ValueCompiler.Nothing);
        if (end >= 0)
        {
            (first, rest) = (first[..end], null);
        }

        int bounded = max > ArrayRule.MaxCount ? int.MaxValue : max;
        return new ArrayRule(style, first, rest == ValueCompiler.Nothing ? null : rest, min, bounded);
    }

    private static IEnumerable<string> Required(SchemaPart part)
    {
        if (part.Get("required") is not { } names)
        {
            return [];
        }

        return names.ValueKind == JsonValueKind.Array && names.EnumerateArray().All(name => name.ValueKind == JsonValueKind.String)
            ? names.EnumerateArray().Select(name => name.GetString()!)
            : throw part.Error("required", "must be an array of strings");
    }

    private static List<JsonProperty> Members(SchemaPart part, string keyword)
    {
        if (part.Get(keyword) is not { } members)
        {
            return [];
        }

        return members.ValueKind == JsonValueKind.Object ? [.. members.EnumerateObject()] : throw part.Error(keyword, "must be an object");
    }

    private IEnumerable<(SchemaPart Part, string Pattern, JsonElement Schema, PatternDfa Dfa)> PatternsOf(SchemaPart part) =>
        Members(part, "patternProperties").Select(member => (
            part, member.Name, member.Value, PatternCompiler.Compile(member.Name, guard, part.Pointer + "/patternProperties/" + member.Name)));

    /// <summary>What a part asks of the value of a name.</summary>
    private static IEnumerable<SchemaPart> Value(
        SchemaPart part, string name, List<(SchemaPart Part, string Pattern, JsonElement Schema, PatternDfa Dfa)> patterns)
    {
        bool isCovered = false;
        if (part.Get("properties") is { } properties && properties.TryGetProperty(name, out JsonElement schema))
        {
            isCovered = true;
            yield return part.At(schema, "properties", name);
        }

        foreach ((SchemaPart owner, string pattern, JsonElement value, PatternDfa dfa) in patterns)
        {
            if (ReferenceEquals(owner, part) && dfa.Matches(name))
            {
                isCovered = true;
                yield return part.At(value, "patternProperties", pattern);
            }
        }

        if (!isCovered && part.Get("additionalProperties") is { } additional)
        {
            yield return part.At(additional, "additionalProperties");
        }
    }

    private List<(Rule Key, Rule Value)> Extras(
        IReadOnlyList<SchemaPart> view, List<string> names, List<(SchemaPart Part, string Pattern, JsonElement Schema, PatternDfa Dfa)> patterns, string pointer)
    {
        List<(Rule Key, Rule Value)> extras = [];

        // 1. Names that match a pattern; what the other parts ask of them, they ask of any name.
        PatternDfa declared = PatternCompiler.Compile("^(?:" + string.Join('|', patterns.Count == 0 ? ["x"] : names.Select(Regex.Escape)) + ")$", guard, pointer);
        for (int i = 0; i < patterns.Count; i++)
        {
            (SchemaPart owner, string pattern, JsonElement schema, PatternDfa dfa) = patterns[i];
            foreach ((SchemaPart _, string other, JsonElement _, PatternDfa otherDfa) in patterns.Take(i))
            {
                if (!dfa.Intersect(otherDfa, guard, pointer).IsEmpty())
                {
                    throw owner.Error("patternProperties", $"\"{pattern}\" and \"{other}\" match the same names, which cannot be enforced");
                }
            }

            IEnumerable<SchemaPart> others = view.Where(part => !ReferenceEquals(part, owner)).SelectMany(Additional);
            PatternDfa keys = names.Count == 0 ? dfa : dfa.Except(declared, guard, pointer);
            Add(PatternRules.Build(keys, guard, pointer), compile([owner.At(schema, "patternProperties", pattern), .. others], pointer + "/patternProperties"));
        }

        // 2. All other names, where a part says that there may be some, or no part says anything about names.
        bool isOpen = view.Any(part => part.Get("additionalProperties") is { ValueKind: not JsonValueKind.False })
            || (names.Count == 0 && patterns.Count == 0
                && (view.All(part => part.Get("properties") is null) || view.Any(part => part.GetCount("minProperties") > 0)));
        if (isOpen)
        {
            Add(OtherNames(names, patterns, pointer), compile([.. view.SelectMany(Additional)], pointer + "/additionalProperties"));
        }

        return extras;

        void Add(Rule key, Rule value)
        {
            if (value != ValueCompiler.Nothing && key.MinBytes < Rule.Never)
            {
                extras.Add((key, value));
            }
        }

        static IEnumerable<SchemaPart> Additional(SchemaPart part) =>
            part.Get("additionalProperties") is { } additional ? [part.At(additional, "additionalProperties")] : [];
    }

    private Rule OtherNames(List<string> names, List<(SchemaPart Part, string Pattern, JsonElement Schema, PatternDfa Dfa)> patterns, string pointer)
    {
        if (patterns.Count == 0)
        {
            KeyRule rule = new([.. names.Select(name => Encoding.UTF8.GetBytes(JsonSpelling.Quote(name)[1..^1]))]);
            guard.AddStates(rule.StoredStates, pointer);
            return rule;
        }

        PatternDfa keys = PatternDfa.Length(0, null, guard, pointer);
        foreach ((SchemaPart _, string _, JsonElement _, PatternDfa dfa) in patterns)
        {
            keys = keys.Except(dfa, guard, pointer);
        }

        if (names.Count > 0)
        {
            keys = keys.Except(PatternCompiler.Compile("^(?:" + string.Join('|', names.Select(Regex.Escape)) + ")$", guard, pointer), guard, pointer);
        }

        return PatternRules.Build(keys, guard, pointer);
    }

    private static IReadOnlyList<JsonElement> Prefix(SchemaPart part) =>
        (part.Get("prefixItems") ?? (part.Get("items") is { ValueKind: JsonValueKind.Array } tuple ? tuple : (JsonElement?)null)) is { } items
            ? items.ValueKind == JsonValueKind.Array ? [.. items.EnumerateArray()] : throw part.Error("prefixItems", "must be an array")
            : [];

    private static string PrefixKeyword(SchemaPart part) => part.Get("prefixItems") is null ? "items" : "prefixItems";

    private static IEnumerable<SchemaPart> Item(SchemaPart part, IReadOnlyList<JsonElement> prefix, int index)
    {
        if (index < prefix.Count)
        {
            yield return part.At(prefix[index], PrefixKeyword(part), index.ToString());
        }
        else if (part.Get("items") is { ValueKind: not JsonValueKind.Array } items)
        {
            yield return part.At(items, "items");
        }
    }
}
