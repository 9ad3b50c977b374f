using System.Numerics;
using System.Text.Json;
using ToolN1.Engine.Constraints.Automata;

namespace ToolN1.Engine.Constraints.Schemas;

/// <summary>What a view asks of a number.</summary>
internal sealed record NumberConstraint(NumberBounds Bounds)
{
    /// <summary>Whether any number will do, one with an exponent included.</summary>
    public bool IsUnbounded => Bounds is { Low: null, High: null, MaxFraction: NumberRules.FractionDigits };

    /// <summary>Reads it.</summary>
    public static NumberConstraint Read(IReadOnlyList<SchemaPart> view, JsonTypes types)
    {
        (DecimalNumber Value, bool IsExclusive)? low = null;
        (DecimalNumber Value, bool IsExclusive)? high = null;
        int maxFraction = (types & JsonTypes.Fraction) == 0 ? 0 : NumberRules.FractionDigits;
        BigInteger divisor = BigInteger.One;
        foreach (SchemaPart part in view)
        {
            foreach ((string keyword, bool isExclusive) in new[] { ("minimum", false), ("exclusiveMinimum", true) })
            {
                if (Read(part, keyword) is { } bound
                    && (low is not { } known || bound.CompareTo(known.Value) > 0 || (bound == known.Value && isExclusive)))
                {
                    low = (bound, isExclusive);
                }
            }

            foreach ((string keyword, bool isExclusive) in new[] { ("maximum", false), ("exclusiveMaximum", true) })
            {
                if (Read(part, keyword) is { } bound
                    && (high is not { } known || bound.CompareTo(known.Value) < 0 || (bound == known.Value && isExclusive)))
                {
                    high = (bound, isExclusive);
                }
            }

            if (Read(part, "multipleOf") is { } step)
            {
                if (step.Mantissa.IsOne)
                {
                    // A power of ten bounds the fraction's length.
                    maxFraction = Math.Min(maxFraction, step.Scale);
                }
                else if (step.IsInteger && step.Mantissa.Sign > 0)
                {
                    divisor = divisor * step.Mantissa / BigInteger.GreatestCommonDivisor(divisor, step.Mantissa);
                    maxFraction = 0;
                }
                else
                {
                    throw part.Error("multipleOf", "only integers and powers of ten can be enforced");
                }

                if (divisor > NumberRules.MaxDivisor)
                {
                    throw part.Error("multipleOf", $"must be at most {NumberRules.MaxDivisor}");
                }
            }
        }

        return new NumberConstraint(new NumberBounds(
            low?.Value, low?.IsExclusive ?? false, high?.Value, high?.IsExclusive ?? false, maxFraction, (int)divisor));
    }

    /// <summary>Whether a number fulfils it.</summary>
    public bool Holds(string json) =>
        DecimalNumber.TryParse(json, out DecimalNumber number)
        && (Bounds.Low is not { } low || number.CompareTo(low) > 0 || (number == low && !Bounds.LowExclusive))
        && (Bounds.High is not { } high || number.CompareTo(high) < 0 || (number == high && !Bounds.HighExclusive))
        && number.Scale <= Bounds.MaxFraction
        && (Bounds.MultipleOf == 1 || (number.IsInteger && (number.Mantissa % Bounds.MultipleOf).IsZero));

    private static DecimalNumber? Read(SchemaPart part, string keyword)
    {
        if (part.Get(keyword) is not { } value)
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Number && DecimalNumber.TryParse(value.GetRawText(), out DecimalNumber number)
            ? number
            : throw part.Error(keyword, "must be a number of at most 400 digits");
    }
}
