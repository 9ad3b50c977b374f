using System.Buffers;
using System.Text;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.Bfcl;

/// <summary>The type and value comparisons of BFCL's checker; each returns null or the official error type.</summary>
internal sealed class BfclValues(bool fixedRules)
{
    private static readonly SearchValues<char> NumberMarks = SearchValues.Create(".-/_*^");

    /// <summary>Whether <c>""</c> is among the accepted values.</summary>
    public static bool MayBeLeftOut(List<PyValue> accepted)
    {
        foreach (PyValue answer in accepted)
        {
            if (answer.Is(""))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// The declared type, or else the type of the accepted values: an accepted value of another type than the declared one
    /// stands for a variable, and is then compared by plain equality.
    /// </summary>
    public string? CheckType(ref PyValue value, List<PyValue> accepted, PyKind expected, PyKind? expectedItem, out bool isVariable)
    {
        PyKind? acceptedKind = AcceptedKind(accepted);
        isVariable = acceptedKind is not null && acceptedKind != expected;
        bool nestedFailed = false;
        if (value.Kind == expected)
        {
            if (expectedItem is not PyKind item)
            {
                return null;
            }

            if (fixedRules && item == PyKind.Float)
            {
                // Quirk: an int is taken for a float parameter but not inside an array of floats.
                value = PyValue.Of(value.Items.ConvertAll(element => element.Kind == PyKind.Int ? element.IntToFloat() : element));
            }

            foreach (PyValue answer in accepted)
            {
                if (answer.Kind != PyKind.List || value.Items.TrueForAll(element => element.Kind == item || element.Kind == AcceptedKind(answer.Items)))
                {
                    return null;
                }
            }

            nestedFailed = true;
        }

        if (acceptedKind is not null && value.Kind == acceptedKind)
        {
            isVariable = true;
            return nestedFailed ? "type_error:nested" : null;
        }

        return "type_error:simple";
    }

    /// <summary>Python's <c>value in accepted</c>; with <c>--fixed</c> but for <c>""</c>, which only means "may be left out".</summary>
    public bool IsAccepted(PyValue value, List<PyValue> accepted)
    {
        foreach (PyValue answer in accepted)
        {
            if (Same(value, answer) && !(fixedRules && answer.Is("")))
            {
                return true;
            }
        }

        return false;
    }

    public string? CheckString(PyValue value, List<PyValue> accepted)
    {
        string text = Standardize(value.Text);
        foreach (PyValue answer in accepted)
        {
            // Quirk: "" means "may be left out", yet it also accepts any string of nothing but removed characters.
            if (answer.IsString && !(fixedRules && answer.Text.Length == 0) && string.Equals(Standardize(answer.Text), text, StringComparison.Ordinal))
            {
                return null;
            }
        }

        return "value_error:string";
    }

    public string? CheckList(PyValue value, List<PyValue> accepted)
    {
        List<PyValue> items = value.Items.ConvertAll(Standardized);
        foreach (PyValue answer in accepted)
        {
            if (answer.Kind == PyKind.Str)
            {
                // Quirk: the original iterates "" as an empty list, so [] is taken wherever the array may be left out.
                if (!fixedRules && SameItems(items, Characters(answer.Text)))
                {
                    return null;
                }
            }
            else if (answer.Kind != PyKind.List)
            {
                throw new PyException("TypeError", $"object of type '{answer.TypeName}' has no len()");
            }
            else if (SameItems(items, answer.Items.ConvertAll(Standardized)))
            {
                return null;
            }
        }

        return "value_error:list/tuple";
    }

    public string? CheckDict(PyValue value, List<PyValue> accepted)
    {
        string? error = "dict_checker:unclear";
        foreach (PyValue answer in accepted)
        {
            if (answer.Is(""))
            {
                continue;
            }

            error = CompareDict(value.Entries, answer);
            if (error is null)
            {
                return null;
            }
        }

        return error;
    }

    public string? CheckListOfDicts(PyValue value, List<PyValue> accepted)
    {
        string? error = "list_dict_checker:unclear";
        foreach (PyValue answer in accepted)
        {
            int count = answer.Kind switch
            {
                PyKind.Str when answer.Text.Length == 0 && fixedRules => -1,
                PyKind.Str => answer.Text.Length,
                PyKind.List => answer.Items.Count,
                _ => throw new PyException("TypeError", $"object of type '{answer.TypeName}' has no len()"),
            };
            if (value.Items.Count != count)
            {
                error = "value_error:list_dict_count";
                continue;
            }

            error = null;
            for (int i = 0; i < count && error is null; i++)
            {
                if (value.Items[i].Kind != PyKind.Dict)
                {
                    throw PyException.NoAttribute(value.Items[i], "items");
                }

                error = CheckDict(value.Items[i], [answer.Items[i]]);
            }

            if (error is null)
            {
                return null;
            }
        }

        return error;
    }

    private string? CompareDict(PyDict entries, PyValue answer)
    {
        if (answer.Kind != PyKind.Dict)
        {
            throw new PyException("TypeError", $"'{answer.TypeName}' is not a dict of accepted values");
        }

        string? error = null;
        foreach (KeyValuePair<string, PyValue> entry in entries)
        {
            if (!answer.Entries.TryGetValue(entry.Key, out PyValue? acceptedHere))
            {
                error = "value_error:dict_key";
                break;
            }

            PyValue value = Standardized(entry.Value);
            if (!AcceptedItems(acceptedHere).Exists(item => !(fixedRules && item.Is("")) && Same(value, Standardized(item))))
            {
                error = "value_error:dict_value";
                break;
            }
        }

        // The original goes on to the missing keys after a wrong one, and the later error is the one reported.
        foreach (KeyValuePair<string, PyValue> entry in answer.Entries)
        {
            if (!entries.ContainsKey(entry.Key) && !AcceptedItems(entry.Value).Exists(item => item.Is("")))
            {
                return "value_error:dict_key";
            }
        }

        return error;
    }

    private static List<PyValue> AcceptedItems(PyValue accepted) => accepted.Kind switch
    {
        PyKind.List => accepted.Items,
        PyKind.Str => Characters(accepted.Text),
        _ => throw new PyException("TypeError", $"object of type '{accepted.TypeName}' has no len()"),
    };

    private static List<PyValue> Characters(string text) => text.Select(c => PyValue.Of(c.ToString())).ToList();

    private static PyKind? AcceptedKind(List<PyValue> accepted)
    {
        foreach (PyValue answer in accepted)
        {
            if (!answer.Is(""))
            {
                return answer.Kind;
            }
        }

        return null;
    }

    private PyValue Standardized(PyValue value) => value.IsString ? PyValue.Of(Standardize(value.Text)) : value;

    private bool SameItems(List<PyValue> items, List<PyValue> answer)
    {
        if (items.Count != answer.Count)
        {
            return false;
        }

        for (int i = 0; i < items.Count; i++)
        {
            if (!Same(items[i], answer[i]))
            {
                return false;
            }
        }

        return true;
    }

    private bool Same(PyValue value, PyValue answer) =>
        PyValue.Equal(value, answer) && !(fixedRules && MixesBooleanAndNumber(value, answer));

    /// <summary>Quirk: in Python 1 == True, so a flag passes for a number inside arrays and dicts and the other way round.</summary>
    private static bool MixesBooleanAndNumber(PyValue a, PyValue b)
    {
        if (a.Kind is PyKind.List or PyKind.Tuple)
        {
            return a.Items.Zip(b.Items).Any(pair => MixesBooleanAndNumber(pair.First, pair.Second));
        }

        return a.Kind == PyKind.Dict
            ? a.Entries.Any(entry => MixesBooleanAndNumber(entry.Value, b.Entries[entry.Key]))
            : (a.Kind == PyKind.Bool) != (b.Kind == PyKind.Bool);
    }

    private string Standardize(string text) => PyText.Standardize(fixedRules ? KeepNumbers(text) : text);

    /// <summary>
    /// Quirk: without its punctuation "-5" is "5", "1.5" is "15" and "2024-1-11" is "2024-11-1". A minus sign before a
    /// number, a point between digits, and one mark for any other separator between digits are kept.
    /// </summary>
    private static string KeepNumbers(string text)
    {
        const char Minus = '\u2212';
        const char Point = '\u00B7';
        const char Separator = '\u2044';
        if (!text.AsSpan().ContainsAny(NumberMarks))
        {
            return text;
        }

        StringBuilder built = new(text);
        for (int i = 0; i < text.Length - 1; i++)
        {
            if (!char.IsAsciiDigit(text[i + 1]))
            {
                continue;
            }

            bool digitBefore = i > 0 && char.IsAsciiDigit(text[i - 1]);
            built[i] = text[i] switch
            {
                '.' when digitBefore => Point,
                '-' or '/' or '_' or '*' or '^' when digitBefore => Separator,
                '-' when i == 0 || !char.IsLetterOrDigit(text[i - 1]) => Minus,
                char other => other,
            };
        }

        return built.ToString();
    }
}
