using System.Text;
using ToolN1.Engine.Chat;

namespace ToolN1.Training.Evaluation.Python;

/// <summary>Python's <c>json.dumps</c> with its default separators: <c>", "</c> and <c>": "</c>, non-ASCII as <c>\uXXXX</c>.</summary>
internal static class PyJsonWriter
{
    public static string Dumps(PyValue value)
    {
        StringBuilder built = new();
        Write(value, built);
        return built.ToString();
    }

    private static void Write(PyValue value, StringBuilder built)
    {
        switch (value.Kind)
        {
            case PyKind.None:
                built.Append("null");
                break;
            case PyKind.Bool:
                built.Append(value.IsTruthy ? "true" : "false");
                break;
            case PyKind.Int:
                built.Append(PyText.Repr(value));
                break;
            case PyKind.Float:
                built.Append(PythonJson.Float(value.Number));
                break;
            case PyKind.Str:
                PythonJson.AppendQuoted(built, value.Text, ensureAscii: true);
                break;
            case PyKind.Dict:
                built.Append('{');
                for (int i = 0; i < value.Entries.Count; i++)
                {
                    (string key, PyValue entry) = value.Entries.EntryAt(i);
                    built.Append(i > 0 ? ", " : "");
                    PythonJson.AppendQuoted(built, key, ensureAscii: true);
                    built.Append(": ");
                    Write(entry, built);
                }

                built.Append('}');
                break;
            default:
                built.Append('[');
                for (int i = 0; i < value.Items.Count; i++)
                {
                    built.Append(i > 0 ? ", " : "");
                    Write(value.Items[i], built);
                }

                built.Append(']');
                break;
        }
    }
}
