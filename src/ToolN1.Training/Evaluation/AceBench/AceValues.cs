using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.AceBench;

/// <summary>The type and value comparisons of ACEBench's checker; each returns null or the official error type.</summary>
internal sealed class AceValues(bool fixedRules)
{
    /// <summary>The declared type, or the type of the answer; then <paramref name="isVariable"/> and the value is not compared.</summary>
    public static string? CheckType(PyValue value, PyValue answer, PyKind? expected, bool hasItems, out bool isVariable)
    {
        bool answerKnown = !answer.Is("");
        isVariable = answerKnown && answer.Kind != expected;
        value = AsBoolean(value);
        bool itemsFailed = false;
        if (value.Kind == expected)
        {
            // With items, any one item of the answer that is not itself a list is enough for the original.
            if (!hasItems || HasPlainItem(value, answer))
            {
                return null;
            }

            itemsFailed = true;
        }

        if (answerKnown && (value.Kind == answer.Kind || PyValue.Equal(answer, value)))
        {
            isVariable = true;
            return itemsFailed ? "type_error" : null;
        }

        return "type_error";
    }

    /// <summary>The answer must be contained in the reply, so an empty answer accepts anything; exact with <c>--fixed</c>.</summary>
    public string? CheckString(PyValue value, PyValue answer)
    {
        string text = PyText.Standardize(value.Text);
        string wanted = PyText.Standardize(answer.Text);
        bool same = fixedRules ? string.Equals(text, wanted, StringComparison.Ordinal) : text.Contains(wanted, StringComparison.Ordinal);
        return same ? null : "value_error:string";
    }

    public static string? CheckList(PyValue value, PyValue answer)
    {
        List<PyValue> wanted = answer.Kind == PyKind.Str ? [] : answer.Items;
        bool same = PyValue.Equal(PyValue.Of(value.Items.ConvertAll(Standardized)), PyValue.Of(wanted.ConvertAll(Standardized)));
        return same ? null : "value_error:list/tuple";
    }

    public string? CheckListOfDicts(PyValue value, PyValue answer)
    {
        int count = answer.Kind == PyKind.Str ? answer.Text.Length : answer.Items.Count;
        if (value.Items.Count != count)
        {
            return "value_error:list_dict_count";
        }

        for (int i = 0; i < count; i++)
        {
            if (CheckDict(value.Items[i], answer.Items[i]) is string error)
            {
                return error;
            }
        }

        return null;
    }

    /// <summary>Same keys; leaves by containment of their text, nested objects again, arrays inside as Python text.</summary>
    public string? CheckDict(PyValue value, PyValue answer)
    {
        if (value.Kind != PyKind.Dict)
        {
            return "value_error";
        }

        if (answer.Kind != PyKind.Dict)
        {
            throw PyException.NoAttribute(answer, "keys");
        }

        if (value.Entries.Count != answer.Entries.Count)
        {
            return "value_error";
        }

        foreach (KeyValuePair<string, PyValue> entry in value.Entries)
        {
            PyValue leaf = AsBoolean(entry.Value);
            if (!answer.Entries.TryGetValue(entry.Key, out PyValue? wanted))
            {
                return "value_error";
            }

            bool same = wanted.Kind == PyKind.Dict ? CheckDict(leaf, wanted) is null
                : fixedRules ? SameLeaf(leaf, wanted)
                : PyText.Str(Standardized(leaf)).Contains(PyText.Str(Standardized(wanted)), StringComparison.Ordinal);
            if (!same)
            {
                return "value_error";
            }
        }

        return null;
    }

    /// <summary>With <c>--fixed</c>: equal values, strings after standardisation at every depth, a flag is no number.</summary>
    public static bool SameLeaf(PyValue value, PyValue answer)
    {
        if (value.IsString && answer.IsString)
        {
            return string.Equals(PyText.Standardize(value.Text), PyText.Standardize(answer.Text), StringComparison.Ordinal);
        }

        if (value.Kind == PyKind.List && answer.Kind == PyKind.List)
        {
            return value.Items.Count == answer.Items.Count && value.Items.Zip(answer.Items).All(pair => SameLeaf(pair.First, pair.Second));
        }

        if (value.Kind == PyKind.Dict && answer.Kind == PyKind.Dict)
        {
            return value.Entries.Count == answer.Entries.Count
                && value.Entries.All(entry => answer.Entries.TryGetValue(entry.Key, out PyValue? wanted) && SameLeaf(entry.Value, wanted));
        }

        return (value.Kind == PyKind.Bool) == (answer.Kind == PyKind.Bool) && PyValue.Equal(value, answer);
    }

    private static bool HasPlainItem(PyValue value, PyValue answer)
    {
        switch (answer.Kind)
        {
            case PyKind.Dict:
                return answer.Entries.Count > 0;
            case PyKind.Str:
                return answer.Text.Length > 0;
            case PyKind.List or PyKind.Tuple:
                return answer.Items.Exists(item => item.Kind != PyKind.List || value.Items.TrueForAll(element => item.Items.Exists(other => other.Kind == element.Kind)));
            default:
                throw new PyException("TypeError", $"'{answer.TypeName}' object is not iterable");
        }
    }

    private static PyValue AsBoolean(PyValue value) => value.Is("true") ? PyValue.True : value.Is("false") ? PyValue.False : value;

    private static PyValue Standardized(PyValue value) => value.IsString ? PyValue.Of(PyText.Standardize(value.Text)) : value;
}
