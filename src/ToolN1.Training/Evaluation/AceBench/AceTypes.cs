using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.AceBench;

/// <summary>Which Python type ACEBench's checker expects for a declared type.</summary>
internal static class AceTypes
{
    /// <summary>Null for <c>enum</c>: the official table names a type that no value has.</summary>
    /// <exception cref="PyException">KeyError: the table has no such type.</exception>
    public static PyKind? Expected(string type) => type switch
    {
        "string" or "any" => PyKind.Str,
        "integer" or "int" or "number" => PyKind.Int,
        "float" => PyKind.Float,
        "boolean" => PyKind.Bool,
        "array" or "tuple" or "list" or "objectArray" or "list(string)" or "list(enum)" => PyKind.List,
        "dict" or "object" => PyKind.Dict,
        "enum" => null,
        _ => throw new PyException("KeyError", PyText.Repr(type)),
    };

    /// <summary>The declared type of the items, where the checker looks at items.</summary>
    public static string? ItemType(PyDict parameter, string type)
    {
        if (type is not ("array" or "tuple" or "list(string)" or "list(enum)" or "object" or "objectArray"))
        {
            return null;
        }

        if (parameter.TryGetValue("items", out PyValue? items) && items.Kind == PyKind.Dict && items.Entries.TryGetValue("type", out PyValue? item))
        {
            return item.Text;
        }

        return type.Contains("string", StringComparison.Ordinal) ? "string"
            : type.Contains("enum", StringComparison.Ordinal) ? "enum"
            : "dict";
    }
}
