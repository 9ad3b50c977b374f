using System.Text.RegularExpressions;

namespace ToolN1.Training.Captures.Redaction;

/// <summary>The rules by which captures are redacted. Safe to call from any thread.</summary>
internal sealed partial class Redactor
{
    private readonly RedactionRule[] _rules;

    /// <summary>Compiles the rules.</summary>
    /// <exception cref="FormatException">One of them cannot be used; names it.</exception>
    public Redactor(RedactionOptions options) => _rules = [.. Own(options.Rules), .. KnownRules.Of(options)];

    /// <summary>Begins a capture: from here on the same value gets the same placeholder.</summary>
    public RedactionPass Begin() => new(_rules);

    private static IEnumerable<RedactionRule> Own(IReadOnlyList<RedactionRuleOptions> rules)
    {
        for (int i = 0; i < rules.Count; i++)
        {
            RedactionRuleOptions rule = rules[i];
            string place = $"ToolN1:Captures:Redaction:Rules:{i}";
            if (!RuleName().IsMatch(rule.Name))
            {
                throw new FormatException($"{place}:Name must be of lower-case letters, digits and hyphens.");
            }

            Regex pattern;
            try
            {
                pattern = RedactionRule.Linear(rule.Pattern);
            }
            catch (Exception error) when (error is ArgumentException or NotSupportedException)
            {
                throw new FormatException($"{place}:Pattern cannot be used: {error.Message}", error);
            }

            if (pattern.IsMatch(""))
            {
                throw new FormatException($"{place}:Pattern must not match the empty text.");
            }

            yield return new RedactionRule(rule.Name, pattern, rule.Replacement ?? $"[{rule.Name}-{{n}}]");
        }
    }

    [GeneratedRegex(@"\A[a-z0-9-]{1,64}\z")]
    private static partial Regex RuleName();
}
