using System.Text.Json;
using Microsoft.OpenApi;
using ToolN1.Api.Errors;

namespace ToolN1.Api.Shapes;

/// <summary>
/// What a JSON value of a request may be. One description both checks requests and writes their OpenAPI schema, so the
/// documentation cannot promise what the server refuses.
/// </summary>
internal abstract class Shape
{
    /// <summary>The expected kind in words, for errors: "a string", "an array of integers".</summary>
    public abstract string Expectation { get; }

    /// <summary>The expected kind with its bounds, for the documentation.</summary>
    public virtual string Range => Expectation;

    /// <summary>The shapes that this one is made of.</summary>
    public virtual IEnumerable<Shape> Parts => [];

    /// <summary>Whether a value is of this kind at a first look (type only), to choose among alternatives.</summary>
    public abstract bool Fits(JsonElement value);

    /// <summary>Throws a 400 that names the offending field when the value breaks the shape.</summary>
    public abstract void Check(JsonElement value, FieldPath path);

    /// <summary>The OpenAPI schema; object shapes register themselves as components of the document.</summary>
    public abstract IOpenApiSchema ToSchema(OpenApiDocument document);

    /// <summary>The error of a value of the wrong kind.</summary>
    protected ApiException WrongType(JsonElement value, FieldPath path) => ApiException.Invalid(
        path.ToParam(),
        $"Invalid type for '{Name(path)}': expected {Expectation}, but got {Describe(value)} instead.",
        "invalid_type");

    /// <summary>The error of a value of the right kind that is out of range.</summary>
    protected static ApiException WrongValue(FieldPath path, string rule) =>
        ApiException.Invalid(path.ToParam(), $"Invalid value for '{Name(path)}': {rule}.");

    private static string Name(FieldPath path) => path.ToParam() ?? "the request body";

    private static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => value.GetArrayLength() == 0 ? "an empty array" : "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => value.TryGetInt64(out _) ? "an integer" : "a number",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        _ => "null",
    };
}
