using System.Globalization;
using System.Numerics;

namespace ToolN1.Engine.Constraints.Automata;

/// <summary>An exact decimal number: Mantissa · 10^-Scale, without trailing zeros in the fraction.</summary>
internal readonly record struct DecimalNumber(BigInteger Mantissa, int Scale) : IComparable<DecimalNumber>
{
    private const int MaxDigits = 400;

    /// <summary>The digits before the point, without sign; "0" when there are none.</summary>
    public string IntegerDigits => BigInteger.Divide(BigInteger.Abs(Mantissa), BigInteger.Pow(10, Scale)).ToString(CultureInfo.InvariantCulture);

    /// <summary>The digits after the point, without trailing zeros.</summary>
    public string FractionDigits =>
        Scale == 0 ? "" : BigInteger.Remainder(BigInteger.Abs(Mantissa), BigInteger.Pow(10, Scale)).ToString(CultureInfo.InvariantCulture).PadLeft(Scale, '0');

    /// <summary>Whether there is no fraction.</summary>
    public bool IsInteger => Scale == 0;

    /// <summary>Reads a JSON number.</summary>
    /// <returns>False when it has more than a few hundred digits.</returns>
    public static bool TryParse(string json, out DecimalNumber number)
    {
        number = default;
        int e = json.IndexOfAny(['e', 'E']);
        string digits = e < 0 ? json : json[..e];
        int exponent = 0;
        if (e >= 0 && !int.TryParse(json.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent))
        {
            return false;
        }

        int point = digits.IndexOf('.', StringComparison.Ordinal);
        int scale = (point < 0 ? 0 : digits.Length - point - 1) - exponent;
        if (digits.Length > MaxDigits || Math.Abs((long)scale) > MaxDigits)
        {
            return false;
        }

        BigInteger mantissa = BigInteger.Parse(digits.Replace(".", "", StringComparison.Ordinal), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        if (scale < 0)
        {
            mantissa *= BigInteger.Pow(10, -scale);
            scale = 0;
        }

        while (scale > 0 && BigInteger.Remainder(mantissa, 10).IsZero)
        {
            mantissa /= 10;
            scale--;
        }

        number = new DecimalNumber(mantissa, scale);
        return true;
    }

    /// <inheritdoc/>
    public int CompareTo(DecimalNumber other) =>
        (Mantissa * BigInteger.Pow(10, other.Scale)).CompareTo(other.Mantissa * BigInteger.Pow(10, Scale));

    /// <summary>The number with the other sign.</summary>
    public DecimalNumber Negate() => this with { Mantissa = -Mantissa };
}
