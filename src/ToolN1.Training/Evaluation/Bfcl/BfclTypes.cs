using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.Bfcl;

/// <summary>Which Python type the checker expects for each of BFCL's parameter types.</summary>
internal static class BfclTypes
{
    private static readonly Dictionary<string, PyKind> PythonTypes = new(StringComparer.Ordinal)
    {
        ["string"] = PyKind.Str,
        ["integer"] = PyKind.Int,
        ["float"] = PyKind.Float,
        ["boolean"] = PyKind.Bool,
        ["array"] = PyKind.List,
        ["tuple"] = PyKind.List,
        ["dict"] = PyKind.Dict,
        ["any"] = PyKind.Str,
    };

    private static readonly Dictionary<string, PyKind> JavaTypes = new(StringComparer.Ordinal)
    {
        ["byte"] = PyKind.Int,
        ["short"] = PyKind.Int,
        ["integer"] = PyKind.Int,
        ["float"] = PyKind.Float,
        ["double"] = PyKind.Float,
        ["long"] = PyKind.Int,
        ["boolean"] = PyKind.Bool,
        ["char"] = PyKind.Str,
        ["Array"] = PyKind.List,
        ["ArrayList"] = PyKind.List,
        ["HashMap"] = PyKind.Dict,
        ["Hashtable"] = PyKind.Dict,
        ["Queue"] = PyKind.List,
        ["Stack"] = PyKind.List,
        ["String"] = PyKind.Str,
        ["any"] = PyKind.Str,
    };

    private static readonly Dictionary<string, PyKind> JavaScriptTypes = new(StringComparer.Ordinal)
    {
        ["String"] = PyKind.Str,
        ["integer"] = PyKind.Int,
        ["float"] = PyKind.Float,
        ["Bigint"] = PyKind.Int,
        ["Boolean"] = PyKind.Bool,
        ["dict"] = PyKind.Dict,
        ["array"] = PyKind.List,
        ["any"] = PyKind.Str,
    };

    /// <exception cref="PyException">KeyError: the language has no such type.</exception>
    public static PyKind Expected(BfclLanguage language, string type)
    {
        Dictionary<string, PyKind> types = language switch
        {
            BfclLanguage.Java => JavaTypes,
            BfclLanguage.JavaScript => JavaScriptTypes,
            _ => PythonTypes,
        };
        return types.TryGetValue(type, out PyKind kind) ? kind : throw new PyException("KeyError", PyText.Repr(type));
    }

    /// <summary>Whether the parameter's <c>items</c> are looked at.</summary>
    public static bool IsNested(BfclLanguage language, string type) => language == BfclLanguage.Python
        ? type is "array" or "tuple"
        : type is "Array" or "ArrayList" or "array";
}
