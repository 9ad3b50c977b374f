using System.Text.Json;
using Microsoft.OpenApi;
using ToolN1.Api.Errors;

namespace ToolN1.Api.Shapes;

/// <summary>
/// An object of named fields. Every field of a request is either known (and honoured), refused with a reason because
/// OpenAI's API has it and this server does not do it, or an error: none is ever ignored.
/// </summary>
internal sealed class ObjectShape(string name, string description, IReadOnlyList<Field> fields) : Shape
{
    private readonly Dictionary<string, Field> _fields = fields.ToDictionary(field => field.Name, StringComparer.Ordinal);

    /// <summary>Fields of OpenAI's that are refused, with the reason ("audio is not supported").</summary>
    public IReadOnlyDictionary<string, string> Refused { get; init; } = new Dictionary<string, string>();

    /// <summary>The component's name in the OpenAPI document.</summary>
    public string Name => name;

    /// <summary>What it is, for the documentation.</summary>
    public string Description => description;

    /// <summary>The fields that are honoured, in documentation order.</summary>
    public IReadOnlyList<Field> Fields => fields;

    public override IEnumerable<Shape> Parts => fields.Select(known => known.Shape);

    public override string Expectation => "an object";

    public override bool Fits(JsonElement value) => value.ValueKind == JsonValueKind.Object;

    public override void Check(JsonElement value, FieldPath path)
    {
        if (!Fits(value))
        {
            throw WrongType(value, path);
        }

        foreach (JsonProperty property in value.EnumerateObject())
        {
            bool isNull = property.Value.ValueKind == JsonValueKind.Null;
            if (_fields.TryGetValue(property.Name, out Field? field))
            {
                if (!isNull)
                {
                    field.Shape.Check(property.Value, path.Field(property.Name));
                }
            }
            else if (Refused.TryGetValue(property.Name, out string? reason))
            {
                if (!isNull)
                {
                    string param = path.Field(property.Name).ToString();
                    throw ApiException.Unsupported(param, $"Unsupported parameter: '{param}'. {reason}");
                }
            }
            else
            {
                string param = path.Field(property.Name).ToString();
                throw ApiException.Invalid(param, $"Unknown parameter: '{param}'.", "unknown_parameter");
            }
        }

        foreach (Field field in fields)
        {
            if (field.Required && (!value.TryGetProperty(field.Name, out JsonElement given) || given.ValueKind == JsonValueKind.Null))
            {
                string param = path.Field(field.Name).ToString();
                throw ApiException.Invalid(param, $"Missing required parameter: '{param}'.", "missing_required_parameter");
            }
        }
    }

    public override IOpenApiSchema ToSchema(OpenApiDocument document)
    {
        document.Components ??= new OpenApiComponents();
        document.Components.Schemas ??= new Dictionary<string, IOpenApiSchema>();
        if (!document.Components.Schemas.ContainsKey(name))
        {
            OpenApiSchema schema = new()
            {
                Type = JsonSchemaType.Object,
                Description = description,
                Properties = new Dictionary<string, IOpenApiSchema>(),
                Required = fields.Where(field => field.Required).Select(field => field.Name).ToHashSet(),
                AdditionalPropertiesAllowed = false,
            };
            document.Components.Schemas[name] = schema;
            foreach (Field field in fields)
            {
                IOpenApiSchema property = field.Shape.ToSchema(document);
                property.Description = field.Description;
                if (property is OpenApiSchema own && field.Default is not null)
                {
                    own.Default = field.Default.DeepClone();
                }

                schema.Properties[field.Name] = property;
            }
        }

        return new OpenApiSchemaReference(name, document);
    }
}

/// <summary>An object whose fields depend on the value of one of them (a message's role, a content part's type).</summary>
internal sealed class TaggedShape(string tag, IReadOnlyDictionary<string, ObjectShape> variants) : Shape
{
    /// <summary>The field that decides.</summary>
    public string Tag => tag;

    /// <summary>The object for each value of it.</summary>
    public IReadOnlyDictionary<string, ObjectShape> Variants => variants;

    /// <summary>Tags of OpenAI's that are refused, with the reason.</summary>
    public IReadOnlyDictionary<string, string> Refused { get; init; } = new Dictionary<string, string>();

    /// <summary>What an object without the tag is; null where it must have one.</summary>
    public string? DefaultTag { get; init; }

    public override string Expectation => "an object";

    public override IEnumerable<Shape> Parts => variants.Values.Distinct();

    public override bool Fits(JsonElement value) => value.ValueKind == JsonValueKind.Object;

    public override void Check(JsonElement value, FieldPath path)
    {
        if (!Fits(value))
        {
            throw WrongType(value, path);
        }

        string param = path.Field(tag).ToString();
        string? tagValue = DefaultTag;
        if (value.Has(tag, out JsonElement tagElement))
        {
            new StringShape().Check(tagElement, path.Field(tag));
            tagValue = tagElement.GetString();
        }

        if (tagValue is null)
        {
            throw ApiException.Invalid(param, $"Missing required parameter: '{param}'.", "missing_required_parameter");
        }

        if (Refused.TryGetValue(tagValue, out string? reason))
        {
            throw ApiException.Unsupported(param, $"Unsupported value for '{param}': '{tagValue}'. {reason}");
        }

        if (!variants.TryGetValue(tagValue, out ObjectShape? variant))
        {
            throw WrongValue(path.Field(tag), "supported values are " + string.Join(", ", variants.Keys.Select(key => $"'{key}'")));
        }

        variant.Check(value, path);
    }

    public override IOpenApiSchema ToSchema(OpenApiDocument document) =>
        new OpenApiSchema { OneOf = [.. variants.Values.Distinct().Select(variant => variant.ToSchema(document))] };
}
