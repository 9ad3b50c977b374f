using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.Bfcl;

/// <summary>
/// The function descriptions as BFCL shows them to models: a language hint at the end of every description; for Java and
/// JavaScript every parameter becomes a string whose description tells the real type.
/// </summary>
internal static class BfclFunctionDocs
{
    /// <summary>The descriptions of a question, in the published prompt's form.</summary>
    public static List<PyValue> ForPrompt(List<PyValue> functions, BfclLanguage language) => functions.ConvertAll(original =>
    {
        PyValue function = original.Clone();
        string name = language switch { BfclLanguage.Java => "Java 8 SDK", BfclLanguage.JavaScript => "JavaScript", _ => "Python 3" };
        function.Entries["description"] = PyValue.Of($"{function.Entries["description"].Text} Note that the provided function is in {name} syntax.");
        if (language != BfclLanguage.Python)
        {
            foreach (KeyValuePair<string, PyValue> parameter in function.Entries["parameters"].Entries["properties"].Entries)
            {
                Describe(parameter.Value.Entries, language == BfclLanguage.Java ? "Java" : "JavaScript");
            }
        }

        return function;
    });

    /// <summary>The descriptions with JSON Schema's type names, for the <c>tools</c> parameter of a chat request.</summary>
    public static List<PyValue> ForTools(List<PyValue> functions, BfclLanguage language) => ForPrompt(functions, language).ConvertAll(function =>
    {
        ToSchema(function.Entries["parameters"]);
        return function;
    });

    private static void Describe(PyDict parameter, string language)
    {
        string type = parameter["type"].Text;
        string text = type == "any"
            ? $" This parameter can be of any type of {language} object in string representation."
            : $" This is {language} {type} type parameter in string representation.";
        if (type is "ArrayList" or "Array" or "array" && parameter.TryGetValue("items", out PyValue? items))
        {
            text += $" The list elements are of type {items.Entries["type"].Text}; they are not in string representation.";
            parameter.Remove("items");
        }

        if (type == "dict" && parameter.TryGetValue("properties", out PyValue? properties))
        {
            text += $" The dictionary entries have the following schema; they are not in string representation. {PyJsonWriter.Dumps(properties)}";
            parameter.Remove("properties");
        }

        parameter["description"] = PyValue.Of((parameter.TryGetValue("description", out PyValue? description) ? description.Text : "") + text);
        parameter["type"] = PyValue.Of("string");
    }

    private static void ToSchema(PyValue schema)
    {
        if (schema.Kind != PyKind.Dict)
        {
            return;
        }

        if (schema.Entries.TryGetValue("type", out PyValue? type) && type.IsString)
        {
            schema.Entries["type"] = PyValue.Of(type.Text switch { "dict" => "object", "float" => "number", "tuple" => "array", "any" or "" => "string", string same => same });
        }

        if (schema.Entries.TryGetValue("properties", out PyValue? properties) && properties.Kind == PyKind.Dict)
        {
            foreach (KeyValuePair<string, PyValue> property in properties.Entries)
            {
                ToSchema(property.Value);
            }
        }

        if (schema.Entries.TryGetValue("items", out PyValue? items))
        {
            ToSchema(items);
        }
    }
}
