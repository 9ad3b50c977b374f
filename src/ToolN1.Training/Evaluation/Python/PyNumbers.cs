using System.Globalization;
using System.Numerics;
using System.Text;

namespace ToolN1.Training.Evaluation.Python;

/// <summary>Python's <c>int(str)</c> and <c>float(str)</c>: surrounding white space, single underscores and any script's digits.</summary>
internal static class PyNumbers
{
    /// <summary><c>int(text)</c>, or null where Python raises ValueError.</summary>
    public static PyValue? ParseInt(string text) =>
        Normalize(text) is string plain && BigInteger.TryParse(plain, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out BigInteger value)
            ? PyValue.Of(value)
            : null;

    /// <summary><c>float(text)</c>, or null where Python raises ValueError.</summary>
    public static PyValue? ParseFloat(string text)
    {
        if (Normalize(text) is not string plain)
        {
            return null;
        }

        switch (plain.TrimStart('+', '-').ToLowerInvariant())
        {
            case "inf" or "infinity":
                return PyValue.Of(plain[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity);
            case "nan":
                return PyValue.Of(double.NaN);
            default:
                const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
                return plain.AsSpan().ContainsAnyInRange('0', '9') && double.TryParse(plain, Style, CultureInfo.InvariantCulture, out double value)
                    ? PyValue.Of(value)
                    : null;
        }
    }

    /// <summary><c>str.isdigit()</c>, as far as decimal digits go.</summary>
    public static bool IsDigits(string text) => text.Length > 0 && text.All(char.IsDigit);

    /// <summary>ASCII digits, no underscores; null where an underscore stands wrongly.</summary>
    private static string? Normalize(string text)
    {
        text = PyText.Strip(text);
        StringBuilder built = new(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '_')
            {
                if (i == 0 || i == text.Length - 1 || !char.IsDigit(text[i - 1]) || !char.IsDigit(text[i + 1]))
                {
                    return null;
                }

                continue;
            }

            built.Append(char.IsDigit(text[i]) ? (char)('0' + CharUnicodeInfo.GetDecimalDigitValue(text[i])) : text[i]);
        }

        return built.Length == 0 ? null : built.ToString();
    }
}
