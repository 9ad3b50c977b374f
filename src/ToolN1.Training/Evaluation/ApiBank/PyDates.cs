using System.Globalization;
using System.Text.RegularExpressions;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.ApiBank;

/// <summary>Python's <c>datetime.strptime</c> for the benchmark's three formats, with Python's error texts.</summary>
internal static partial class PyDates
{
    public const string DateFormat = "%Y-%m-%d";
    public const string TimeFormat = "%Y-%m-%d %H:%M:%S";
    public const string DayFormat = "%m-%d";

    /// <exception cref="PyException">TypeError for anything but a string, ValueError where the text does not match.</exception>
    public static DateTime Parse(PyValue value, string format)
    {
        if (!value.IsString)
        {
            throw new PyException("TypeError", $"strptime() argument 1 must be str, not {value.TypeName}");
        }

        return Parse(value.Text, format);
    }

    /// <exception cref="PyException">ValueError where the text does not match.</exception>
    public static DateTime Parse(string text, string format)
    {
        Match match = (format switch { DateFormat => Date(), TimeFormat => Time(), _ => Day() }).Match(text);
        if (!match.Success)
        {
            throw new PyException("ValueError", $"time data {PyText.Repr(text)} does not match format '{format}'");
        }

        if (match.Length != text.Length)
        {
            throw new PyException("ValueError", $"unconverted data remains: {text[match.Length..]}");
        }

        int year = match.Groups["Y"].Success ? Number("Y") : 1900;
        int month = Number("m");
        int day = Number("d");
        if (year == 0 || day > DateTime.DaysInMonth(year, month))
        {
            throw new PyException("ValueError", year == 0 ? "year 0 is out of range" : "day is out of range for month");
        }

        DateTime date = new(year, month, day, 0, 0, 0, DateTimeKind.Unspecified);
        return format == TimeFormat ? date.AddHours(Number("H")).AddMinutes(Number("M")).AddSeconds(Number("S")) : date;

        int Number(string group) => int.Parse(match.Groups[group].Value, NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture);
    }

    /// <summary>
    /// What several APIs do before they compare: strip, pad the year, parse, write again; or the error, which the original
    /// keeps in the variable and which then equals nothing.
    /// </summary>
    public static (string? Text, PyException? Error) Normalize(PyValue value, string format)
    {
        string text = PadYear(Strip(value));
        try
        {
            DateTime parsed = Parse(text, format);
            return (Write(parsed, format), null);
        }
        catch (PyException e)
        {
            return (null, e);
        }
    }

    /// <summary><c>strftime</c>.</summary>
    public static string Write(DateTime time, string format) => time.ToString(
        format switch { DateFormat => "yyyy-MM-dd", TimeFormat => "yyyy-MM-dd HH:mm:ss", _ => "MM-dd" }, CultureInfo.InvariantCulture);

    /// <summary><c>value.strip()</c>; AttributeError for anything but a string.</summary>
    public static string Strip(PyValue value) => value.IsString ? PyText.Strip(value.Text) : throw PyException.NoAttribute(value, "strip");

    /// <summary>Fills the year of a date with three parts up to four digits.</summary>
    public static string PadYear(string text)
    {
        string[] parts = text.Split('-');
        if (parts.Length == 3)
        {
            parts[0] = parts[0].PadLeft(4, '0');
        }

        return string.Join('-', parts);
    }

    [GeneratedRegex(@"\A(?<Y>[0-9]{4})-(?<m>1[0-2]|0[1-9]|[1-9])-(?<d>3[0-1]|[1-2][0-9]|0[1-9]|[1-9]| [1-9])")]
    private static partial Regex Date();

    [GeneratedRegex(@"\A(?<Y>[0-9]{4})-(?<m>1[0-2]|0[1-9]|[1-9])-(?<d>3[0-1]|[1-2][0-9]|0[1-9]|[1-9]| [1-9])\s+(?<H>2[0-3]|[0-1][0-9]|[0-9]):(?<M>[0-5][0-9]|[0-9]):(?<S>6[0-1]|[0-5][0-9]|[0-9])")]
    private static partial Regex Time();

    [GeneratedRegex(@"\A(?<m>1[0-2]|0[1-9]|[1-9])-(?<d>3[0-1]|[1-2][0-9]|0[1-9]|[1-9]| [1-9])")]
    private static partial Regex Day();
}
