using ToolN1.Engine.Constraints.Automata;
using ToolN1.Engine.Constraints.Patterns;

namespace ToolN1.Engine.Constraints.Schemas;

/// <summary>
/// The string formats that are enforced, as patterns. They are as strict as the standard or stricter (years 1000 to
/// 2999, hosts of at most six labels, mail hosts with a top-level domain, URIs with an authority), so that every reader takes them.
/// </summary>
internal static class StringFormats
{
    private const string Date =
        @"(?:[12]\d{3}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8]))"
        + @"|(?:[12]\d(?:0[48]|[2468][048]|[13579][26])|(?:12|16|20|24|28)00)-02-29)";

    private const string Time = @"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?(?:Z|[+-](?:0\d|1[0-3]):[0-5]\d)";
    private const string Label = @"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?";
    private const string Host = Label + @"(?:\." + Label + "){0,5}";
    private const string Octet = @"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)";
    private const string V4 = Octet + @"(?:\." + Octet + "){3}";
    private const string H = "[0-9a-fA-F]{1,4}";
    private const string Path = @"(?:[a-zA-Z0-9._~!$&'()*+,;=:@/-]|%[0-9a-fA-F]{2})*";
    private const string Query = @"(?:[a-zA-Z0-9._~!$&'()*+,;=:@/?-]|%[0-9a-fA-F]{2})*";

    private const string V6 =
        "(?:" + H + ":){7}" + H
        + "|(?:" + H + ":){1,7}:"
        + "|(?:" + H + ":){1,6}:" + H
        + "|(?:" + H + ":){1,5}(?::" + H + "){1,2}"
        + "|(?:" + H + ":){1,4}(?::" + H + "){1,3}"
        + "|(?:" + H + ":){1,3}(?::" + H + "){1,4}"
        + "|(?:" + H + ":){1,2}(?::" + H + "){1,5}"
        + "|" + H + ":(?::" + H + "){1,6}"
        + "|:(?:(?::" + H + "){1,7}|:)";

    private const string DurationTime = @"T(?:\d{1,6}H(?:\d{1,6}M(?:\d{1,6}S)?)?|\d{1,6}M(?:\d{1,6}S)?|\d{1,6}S)";

    private const string Duration =
        @"P(?:\d{1,6}W|(?:\d{1,6}Y(?:\d{1,6}M(?:\d{1,6}D)?)?|\d{1,6}M(?:\d{1,6}D)?|\d{1,6}D)(?:" + DurationTime + ")?|" + DurationTime + ")";

    private static readonly Dictionary<string, Format> Formats = new()
    {
        ["date"] = Make(Date),
        ["time"] = Make(Time),
        ["date-time"] = Make(Date + "T" + Time),
        ["duration"] = Make(Duration),
        ["uuid"] = Make("[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"),
        ["email"] = Make(@"[a-zA-Z0-9_+-]{1,20}(?:\.[a-zA-Z0-9_+-]{1,20}){0,2}@(?:" + Label + @"\.){1,3}[a-zA-Z]{2,10}"),
        ["hostname"] = Make(Host),
        ["ipv4"] = Make(V4),
        ["ipv6"] = Make(V6),
        ["uri"] = Make("[a-zA-Z][a-zA-Z0-9+.-]{0,15}://" + Host + @"(?::\d{1,4})?(?:/" + Path + @")?(?:\?" + Query + ")?(?:#" + Query + ")?"),
    };

    /// <summary>The names.</summary>
    public static IEnumerable<string> Names => Formats.Keys;

    /// <summary>The automaton of a format; null for one that is not known.</summary>
    public static PatternDfa? Find(string name) => Formats.TryGetValue(name, out Format? format) ? format.Dfa.Value : null;

    /// <summary>The rule of strings that follow a format and nothing else: one for all schemas.</summary>
    public static TableRule Rule(string name) => Formats[name].Rule.Value;

    /// <summary>Builds all of them; else the first schema with a format does.</summary>
    public static void WarmUp()
    {
        foreach (Format format in Formats.Values)
        {
            _ = format.Rule.Value;
        }
    }

    private static Format Make(string pattern)
    {
        CompileGuard Patient() => new(new ConstraintBudget { MaxTime = TimeSpan.FromMinutes(1) });
        Lazy<PatternDfa> dfa = new(() => PatternCompiler.Compile("^(?:" + pattern + ")$", Patient(), ""));
        return new Format(dfa, new Lazy<TableRule>(() => PatternRules.Build(dfa.Value, Patient(), "")));
    }

    private sealed record Format(Lazy<PatternDfa> Dfa, Lazy<TableRule> Rule);
}
