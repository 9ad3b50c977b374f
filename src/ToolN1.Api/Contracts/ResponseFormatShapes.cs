using System.Text.RegularExpressions;
using ToolN1.Api.Shapes;

namespace ToolN1.Api.Contracts;

/// <summary>What the text of an answer has to be.</summary>
internal static partial class ResponseFormatShapes
{
    /// <summary>Plain text.</summary>
    public static ObjectShape Text { get; } = new("TextResponseFormat", "Plain text, the default.", [Type("text")]);

    /// <summary>Any JSON object.</summary>
    public static ObjectShape JsonObject { get; } = new("JsonObjectResponseFormat", "One JSON object.", [Type("json_object")]);

    /// <summary>Name, description, schema and strictness of a JSON schema format.</summary>
    public static IReadOnlyList<Field> SchemaFields { get; } =
    [
        new("name", new StringShape { Pattern = FormatName() }, "Letters, digits, `_` and `-`; up to 64. The model does not see it.") { Required = true, Effect = FieldEffect.None },
        new("description", new StringShape(), "For the caller's own bookkeeping; the model does not see it.") { Effect = FieldEffect.None },
        new("schema", new AnyObjectShape(), "The JSON schema that the answer follows. Say in the messages what to answer: the model does not see the schema."),
        new("strict", new BooleanShape(), "True refuses a schema that cannot be enforced, with the place in it. False: the answer follows the schema where that can be enforced, and is any JSON value where it cannot.") { Default = false },
    ];

    /// <summary>The format of a chat completion.</summary>
    public static Field ResponseFormat { get; } = new(
        "response_format",
        new TaggedShape("type", new Dictionary<string, ObjectShape>
        {
            ["text"] = Text,
            ["json_object"] = JsonObject,
            ["json_schema"] = new ObjectShape(
                "JsonSchemaResponseFormat",
                "One JSON value that follows a schema.",
                [Type("json_schema"), new("json_schema", new ObjectShape("JsonSchemaFormat", "The schema.", SchemaFields), "The schema.") { Required = true }]),
        }),
        "What the text of the answer has to be; enforced while the model writes. Where tools are offered, calls may come instead.");

    /// <summary>The tag of a format.</summary>
    public static Field Type(string value) => new("type", new StringShape { Values = [value] }, $"Always `{value}`.") { Required = true };

    [GeneratedRegex(@"\A[A-Za-z0-9_-]{1,64}\z")]
    private static partial Regex FormatName();
}
