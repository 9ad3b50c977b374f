using System.Numerics;

namespace ToolN1.Training.Evaluation.Python;

/// <summary>
/// A Python value as the official checkers see it: exact types (<c>5</c>, <c>5.0</c> and <c>True</c> differ in type) but
/// Python's equality (<c>5 == 5.0</c>, <c>1 == True</c>, NaN equals nothing). Lists and dicts are mutable, like Python's.
/// </summary>
internal sealed class PyValue
{
    public static readonly PyValue None = new(PyKind.None, null, 0);
    public static readonly PyValue True = new(PyKind.Bool, null, 1);
    public static readonly PyValue False = new(PyKind.Bool, null, 0);

    private readonly object? _reference;
    private readonly long _bits;

    private PyValue(PyKind kind, object? reference, long bits)
    {
        Kind = kind;
        _reference = reference;
        _bits = bits;
    }

    public PyKind Kind { get; }

    public bool IsNone => Kind == PyKind.None;

    public bool IsString => Kind == PyKind.Str;

    /// <summary>The string; only for <see cref="PyKind.Str"/>.</summary>
    public string Text => Kind == PyKind.Str ? (string)_reference! : throw Mismatch("str");

    /// <summary>The items; for lists and tuples.</summary>
    public List<PyValue> Items => Kind is PyKind.List or PyKind.Tuple ? (List<PyValue>)_reference! : throw Mismatch("list");

    /// <summary>The entries; only for <see cref="PyKind.Dict"/>.</summary>
    public PyDict Entries => Kind == PyKind.Dict ? (PyDict)_reference! : throw Mismatch("dict");

    /// <summary>The number; only for <see cref="PyKind.Float"/>.</summary>
    public double Number => BitConverter.Int64BitsToDouble(_bits);

    /// <summary>The number; for <see cref="PyKind.Int"/> and <see cref="PyKind.Bool"/>.</summary>
    public BigInteger Integer => _reference is BigInteger big ? big : _bits;

    /// <summary>Python's <c>bool(value)</c>.</summary>
    public bool IsTruthy => Kind switch
    {
        PyKind.None => false,
        PyKind.Bool or PyKind.Int => _reference is not null || _bits != 0,
        PyKind.Float => Number != 0,
        PyKind.Str => Text.Length > 0,
        PyKind.Dict => Entries.Count > 0,
        _ => Items.Count > 0,
    };

    /// <summary>Python's <c>type(value).__name__</c>.</summary>
    public string TypeName => Kind switch
    {
        PyKind.None => "NoneType",
        PyKind.Bool => "bool",
        PyKind.Int => "int",
        PyKind.Float => "float",
        PyKind.Str => "str",
        PyKind.List => "list",
        PyKind.Dict => "dict",
        _ => "tuple",
    };

    public static PyValue Of(bool value) => value ? True : False;

    public static PyValue Of(long value) => new(PyKind.Int, null, value);

    public static PyValue Of(BigInteger value) =>
        value >= long.MinValue && value <= long.MaxValue ? Of((long)value) : new PyValue(PyKind.Int, value, 0);

    public static PyValue Of(double value) => new(PyKind.Float, null, BitConverter.DoubleToInt64Bits(value));

    public static PyValue Of(string value) => new(PyKind.Str, value, 0);

    public static PyValue Of(List<PyValue> items) => new(PyKind.List, items, 0);

    public static PyValue Of(PyDict entries) => new(PyKind.Dict, entries, 0);

    public static PyValue TupleOf(List<PyValue> items) => new(PyKind.Tuple, items, 0);

    /// <summary>Python's <c>==</c>.</summary>
    public static bool Equal(PyValue a, PyValue b)
    {
        if (a.IsNumeric && b.IsNumeric)
        {
            return NumbersEqual(a, b);
        }

        if (a.Kind != b.Kind)
        {
            return false;
        }

        switch (a.Kind)
        {
            case PyKind.None:
                return true;
            case PyKind.Str:
                return string.Equals(a.Text, b.Text, StringComparison.Ordinal);
            case PyKind.Dict:
                return DictsEqual(a.Entries, b.Entries);
            default:
                return SequencesEqual(a.Items, b.Items);
        }
    }

    /// <summary>Python's <c>value in list</c>.</summary>
    public static bool IsIn(PyValue value, List<PyValue> list)
    {
        foreach (PyValue item in list)
        {
            if (ReferenceEquals(item, value) || Equal(item, value))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether this is the given string.</summary>
    public bool Is(string text) => Kind == PyKind.Str && string.Equals(Text, text, StringComparison.Ordinal);

    /// <summary>Python's <c>float(value)</c> of an int; an int beyond the doubles raises OverflowError.</summary>
    public PyValue IntToFloat()
    {
        double value = _reference is BigInteger big ? (double)big : _bits;
        return double.IsInfinity(value) ? throw new PyException("OverflowError", "int too large to convert to float") : Of(value);
    }

    /// <summary>A deep copy: Python code that mutates its arguments must not reach the caller's.</summary>
    public PyValue Clone()
    {
        switch (Kind)
        {
            case PyKind.Dict:
                PyDict entries = [];
                foreach (KeyValuePair<string, PyValue> entry in Entries)
                {
                    entries[entry.Key] = entry.Value.Clone();
                }

                return Of(entries);
            case PyKind.List:
                return Of(Items.ConvertAll(item => item.Clone()));
            case PyKind.Tuple:
                return TupleOf(Items.ConvertAll(item => item.Clone()));
            default:
                return this;
        }
    }

    private bool IsNumeric => Kind is PyKind.Bool or PyKind.Int or PyKind.Float;

    private PyException Mismatch(string expected) => new("TypeError", $"expected {expected}, got {TypeName}");

    private static bool NumbersEqual(PyValue a, PyValue b)
    {
        if (a.Kind == PyKind.Float && b.Kind == PyKind.Float)
        {
            return a.Number == b.Number;
        }

        if (a.Kind == PyKind.Float || b.Kind == PyKind.Float)
        {
            PyValue real = a.Kind == PyKind.Float ? a : b;
            PyValue whole = a.Kind == PyKind.Float ? b : a;

            // Python compares an int with a float exactly, not after rounding the int.
            return double.IsFinite(real.Number) && Math.Floor(real.Number) == real.Number && new BigInteger(real.Number) == whole.Integer;
        }

        return a._reference is null && b._reference is null ? a._bits == b._bits : a.Integer == b.Integer;
    }

    private static bool SequencesEqual(List<PyValue> a, List<PyValue> b)
    {
        if (a.Count != b.Count)
        {
            return false;
        }

        for (int i = 0; i < a.Count; i++)
        {
            if (!Equal(a[i], b[i]))
            {
                return false;
            }
        }

        return true;
    }

    private static bool DictsEqual(PyDict a, PyDict b)
    {
        if (a.Count != b.Count)
        {
            return false;
        }

        foreach (KeyValuePair<string, PyValue> entry in a)
        {
            if (!b.TryGetValue(entry.Key, out PyValue? other) || !Equal(entry.Value, other))
            {
                return false;
            }
        }

        return true;
    }
}
