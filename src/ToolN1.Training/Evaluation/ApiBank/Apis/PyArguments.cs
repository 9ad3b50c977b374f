using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.ApiBank.Apis;

/// <summary>Python's operations on arguments of any type, with the errors that Python raises.</summary>
internal static class PyArguments
{
    /// <summary><c>value.strip()</c>.</summary>
    public static string Strip(PyValue value) => PyDates.Strip(value);

    /// <summary><c>value.strip().lower()</c>.</summary>
    public static string StripLower(PyValue value) => PyText.Lower(Strip(value));

    /// <summary><c>value.upper().strip()</c>.</summary>
    public static string UpperStrip(PyValue value) =>
        value.IsString ? PyText.Strip(value.Text.ToUpperInvariant()) : throw PyException.NoAttribute(value, "upper");

    /// <summary>The words between single spaces: <c>value.split(" ")</c>, lower-cased first where asked.</summary>
    public static HashSet<string> Words(PyValue value, bool lower)
    {
        string text = value.IsString ? value.Text : throw PyException.NoAttribute(value, lower ? "lower" : "split");
        return [.. (lower ? PyText.Lower(text) : text).Split(' ')];
    }

    /// <summary>Whether two texts' word sets overlap by more than half, intersection over union.</summary>
    public static bool WordsOverlap(PyValue a, PyValue b, bool lower = false)
    {
        HashSet<string> left = Words(a, lower);
        HashSet<string> right = Words(b, lower);
        int common = left.Count(right.Contains);
        return common / (double)(left.Count + right.Count - common) > 0.5;
    }

    /// <summary>Raises Python's plain Exception.</summary>
    public static PyException Raise(string message) => new("Exception", message);

    /// <summary><c>key in table</c>; unhashable keys raise TypeError.</summary>
    public static bool TryFind(PyDict table, PyValue key, out PyValue found)
    {
        if (key.Kind is PyKind.List or PyKind.Dict)
        {
            throw new PyException("TypeError", $"unhashable type: '{key.TypeName}'");
        }

        found = PyValue.None;
        if (!key.IsString || !table.TryGetValue(key.Text, out PyValue? value))
        {
            return false;
        }

        found = value;
        return true;
    }

    public static PyValue Success { get; } = PyValue.Of("success");

    public static PyValue Dict(string key, PyValue value) => PyValue.Of(new PyDict { [key] = value });
}
