using System.Text.Json;
using Microsoft.OpenApi;

namespace ToolN1.Api.Shapes;

/// <summary>An array of one kind of element.</summary>
internal sealed class ArrayShape(Shape item, int minItems = 0, int maxItems = int.MaxValue) : Shape
{
    /// <summary>What each element may be.</summary>
    public Shape Item => item;

    /// <summary>Fewest elements.</summary>
    public int MinItems => minItems;

    public override string Expectation => "an array";

    public override string Range => maxItems < int.MaxValue ? $"an array of {minItems} to {maxItems}" : minItems > 0 ? $"an array of at least {minItems}" : Expectation;

    public override IEnumerable<Shape> Parts => [item];

    public override bool Fits(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array && (value.GetArrayLength() == 0 || item.Fits(value[0]));

    public override void Check(JsonElement value, FieldPath path)
    {
        if (value.ValueKind != JsonValueKind.Array)
        {
            throw WrongType(value, path);
        }

        int count = value.GetArrayLength();
        if (count < minItems || count > maxItems)
        {
            throw WrongValue(path, maxItems == int.MaxValue ? $"it must have at least {minItems} element(s)" : $"it must have {minItems} to {maxItems} elements");
        }

        int index = 0;
        foreach (JsonElement element in value.EnumerateArray())
        {
            item.Check(element, path.Item(index++));
        }
    }

    public override IOpenApiSchema ToSchema(OpenApiDocument document) => new OpenApiSchema
    {
        Type = JsonSchemaType.Array,
        Items = item.ToSchema(document),
        MinItems = minItems > 0 ? minItems : null,
        MaxItems = maxItems < int.MaxValue ? maxItems : null,
    };
}

/// <summary>An object used as a dictionary.</summary>
internal sealed class MapShape(Shape value, int maxEntries = int.MaxValue, int maxKeyLength = int.MaxValue) : Shape
{
    /// <summary>What each entry's value may be.</summary>
    public Shape Value => value;

    public override string Expectation => "an object";

    public override string Range => maxEntries < int.MaxValue ? $"an object of up to {maxEntries} entries" : Expectation;

    public override IEnumerable<Shape> Parts => [value];

    public override bool Fits(JsonElement element) => element.ValueKind == JsonValueKind.Object;

    public override void Check(JsonElement element, FieldPath path)
    {
        if (!Fits(element))
        {
            throw WrongType(element, path);
        }

        int count = 0;
        foreach (JsonProperty property in element.EnumerateObject())
        {
            if (++count > maxEntries)
            {
                throw WrongValue(path, $"it must have at most {maxEntries} entries");
            }

            if (property.Name.Length > maxKeyLength)
            {
                throw WrongValue(path, $"its keys must have at most {maxKeyLength} characters");
            }

            value.Check(property.Value, path.Field(property.Name));
        }
    }

    public override IOpenApiSchema ToSchema(OpenApiDocument document) => new OpenApiSchema
    {
        Type = JsonSchemaType.Object,
        AdditionalProperties = value.ToSchema(document),
        MaxProperties = maxEntries < int.MaxValue ? maxEntries : null,
    };
}

/// <summary>Any JSON object; its inside is the caller's business (a tool's JSON schema).</summary>
internal sealed class AnyObjectShape : Shape
{
    public override string Expectation => "an object";

    public override bool Fits(JsonElement value) => value.ValueKind == JsonValueKind.Object;

    public override void Check(JsonElement value, FieldPath path)
    {
        if (!Fits(value))
        {
            throw WrongType(value, path);
        }
    }

    public override IOpenApiSchema ToSchema(OpenApiDocument document) =>
        new OpenApiSchema { Type = JsonSchemaType.Object, AdditionalPropertiesAllowed = true };
}

/// <summary>One of several kinds of value.</summary>
internal sealed class UnionShape(params Shape[] alternatives) : Shape
{
    /// <summary>The kinds of value, in order of preference.</summary>
    public IReadOnlyList<Shape> Alternatives => alternatives;

    public override string Expectation => string.Join(" or ", alternatives.Select(shape => shape.Expectation).Distinct());

    public override string Range => string.Join(" or ", alternatives.Select(shape => shape.Range).Distinct());

    public override IEnumerable<Shape> Parts => alternatives;

    public override bool Fits(JsonElement value) => alternatives.Any(shape => shape.Fits(value));

    public override void Check(JsonElement value, FieldPath path)
    {
        Shape? fitting = alternatives.FirstOrDefault(shape => shape.Fits(value))
            // An array of the wrong elements: let the first array alternative name the element.
            ?? alternatives.FirstOrDefault(shape => shape is ArrayShape && value.ValueKind == JsonValueKind.Array);
        if (fitting is null)
        {
            throw WrongType(value, path);
        }

        fitting.Check(value, path);
    }

    public override IOpenApiSchema ToSchema(OpenApiDocument document) =>
        new OpenApiSchema { OneOf = [.. alternatives.Select(shape => shape.ToSchema(document))] };
}
