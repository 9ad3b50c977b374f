using System.Globalization;
using System.Text;
using ToolN1.Engine.Chat;

namespace ToolN1.Training.Evaluation.Python;

/// <summary>Python's string methods where .NET's differ, and <c>str()</c> and <c>repr()</c> of values.</summary>
internal static class PyText
{
    private const char DottedCapitalI = '\u0130';
    private const char KelvinSign = '\u212A';
    private const char CapitalSigma = '\u03A3';

    /// <summary><c>str.isspace()</c> of one character: .NET's white space and the four separators U+001C to U+001F.</summary>
    public static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\u001C' and <= '\u001F';

    /// <summary><c>str.strip()</c>.</summary>
    public static string Strip(string text)
    {
        int start = 0;
        int end = text.Length;
        while (start < end && IsSpace(text[start]))
        {
            start++;
        }

        while (end > start && IsSpace(text[end - 1]))
        {
            end--;
        }

        return text[start..end];
    }

    /// <summary><c>"".join(text.split())</c>.</summary>
    public static string RemoveSpace(string text)
    {
        StringBuilder built = new(text.Length);
        foreach (char c in text)
        {
            if (!IsSpace(c))
            {
                built.Append(c);
            }
        }

        return built.ToString();
    }

    /// <summary><c>str.lower()</c>, full mapping: İ becomes two characters, the Kelvin sign k, a word's last Σ becomes ς.</summary>
    public static string Lower(string text)
    {
        if (Ascii.IsValid(text))
        {
            return text.ToLowerInvariant();
        }

        StringBuilder built = new(text.Length + 2);
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            switch (c)
            {
                case DottedCapitalI:
                    built.Append("i\u0307");
                    break;
                case KelvinSign:
                    built.Append('k');
                    break;
                case CapitalSigma:
                    built.Append(EndsWord(text, i) ? 'ς' : 'σ');
                    break;
                case var _ when char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]):
                    built.Append(Rune.ToLowerInvariant(new Rune(c, text[++i])).ToString());
                    break;
                default:
                    built.Append(char.ToLowerInvariant(c));
                    break;
            }
        }

        return built.ToString();
    }

    /// <summary>
    /// BFCL's and ACEBench's <c>standardize_string</c>: without space and <c>, . / - _ * ^</c>, lower case, single quotes doubled.
    /// </summary>
    public static string Standardize(string text)
    {
        const string Removed = " ,./-_*^";
        if (text.Length <= 256 && Ascii.IsValid(text))
        {
            Span<char> kept = stackalloc char[text.Length];
            int count = 0;
            foreach (char c in text)
            {
                if (!Removed.Contains(c, StringComparison.Ordinal))
                {
                    kept[count++] = c == '\'' ? '"' : char.ToLowerInvariant(c);
                }
            }

            return new string(kept[..count]);
        }

        StringBuilder built = new(text.Length);
        foreach (char c in text)
        {
            if (!Removed.Contains(c, StringComparison.Ordinal))
            {
                built.Append(c);
            }
        }

        return Lower(built.ToString()).Replace('\'', '"');
    }

    /// <summary><c>str(value)</c>.</summary>
    public static string Str(PyValue value) => value.IsString ? value.Text : Repr(value);

    /// <summary><c>repr(value)</c>.</summary>
    public static string Repr(PyValue value)
    {
        StringBuilder built = new();
        Repr(value, built);
        return built.ToString();
    }

    /// <summary><c>repr(text)</c>.</summary>
    public static string Repr(string text)
    {
        StringBuilder built = new();
        ReprString(text, built);
        return built.ToString();
    }

    private static bool EndsWord(string text, int at)
    {
        bool before = at > 0 && char.IsLetter(text[at - 1]);
        bool after = at + 1 < text.Length && char.IsLetter(text[at + 1]);
        return before && !after;
    }

    private static void Repr(PyValue value, StringBuilder built)
    {
        switch (value.Kind)
        {
            case PyKind.None:
                built.Append("None");
                break;
            case PyKind.Bool:
                built.Append(value.IsTruthy ? "True" : "False");
                break;
            case PyKind.Int:
                built.Append(value.Integer.ToString(CultureInfo.InvariantCulture));
                break;
            case PyKind.Float:
                built.Append(ReprFloat(value.Number));
                break;
            case PyKind.Str:
                ReprString(value.Text, built);
                break;
            case PyKind.Dict:
                string comma = "{";
                foreach (KeyValuePair<string, PyValue> entry in value.Entries)
                {
                    built.Append(comma);
                    ReprString(entry.Key, built);
                    built.Append(": ");
                    Repr(entry.Value, built);
                    comma = ", ";
                }

                built.Append(value.Entries.Count == 0 ? "{}" : "}");
                break;
            default:
                bool tuple = value.Kind == PyKind.Tuple;
                built.Append(tuple ? '(' : '[');
                for (int i = 0; i < value.Items.Count; i++)
                {
                    built.Append(i > 0 ? ", " : "");
                    Repr(value.Items[i], built);
                }

                built.Append(tuple && value.Items.Count == 1 ? "," : "").Append(tuple ? ')' : ']');
                break;
        }
    }

    private static void ReprString(string text, StringBuilder built)
    {
        char quote = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        built.Append(quote);
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c == quote || c == '\\')
            {
                built.Append('\\').Append(c);
            }
            else if (c is '\n' or '\r' or '\t')
            {
                built.Append('\\').Append(c switch { '\n' => 'n', '\r' => 'r', _ => 't' });
            }
            else if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                built.Append(c).Append(text[++i]);
            }
            else if (c != ' ' && IsUnprintable(c))
            {
                built.Append(c < 256 ? $"\\x{(int)c:x2}" : $"\\u{(int)c:x4}");
            }
            else
            {
                built.Append(c);
            }
        }

        built.Append(quote);
    }

    private static bool IsUnprintable(char c) => char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    /// <summary>Shortest digits that round-trip; an exponent below 1e-4 and from 1e16 on.</summary>
    private static string ReprFloat(double value) =>
        double.IsFinite(value) ? PythonJson.Float(value) : double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}
