using System.Text.Json;
using System.Text.Json.Nodes;
using ToolN1.Api.Shapes;
using ToolN1.Api.Tests.Support;

namespace ToolN1.Api.Tests.Hostile;

/// <summary>
/// One place of a request where a value may stand, found by walking the shapes that bind requests: a field added there is
/// covered here without another line.
/// </summary>
internal sealed class ShapePlace
{
    // Stands for the value in the text of the request around it.
    private const string Hole = "\"@the value@\"";
    private const int MaxDepth = 12;

    private readonly Func<JsonNode?, JsonNode?> _around;

    private ShapePlace(string param, Shape shape, Field? field, Func<JsonNode?, JsonNode?> around)
    {
        Param = param;
        Shape = shape;
        Field = field;
        _around = around;
    }

    /// <summary>The path that an error must name.</summary>
    public string Param { get; }

    /// <summary>What may stand here.</summary>
    public Shape Shape { get; }

    /// <summary>The field, or null for an element of an array or a map.</summary>
    public Field? Field { get; }

    /// <summary>Every place below a request's shape.</summary>
    public static IEnumerable<ShapePlace> Of(ObjectShape request) => Below(request, "", value => value, 0);

    /// <summary>A small value that the shape accepts.</summary>
    public static JsonNode? Sample(Shape shape) => shape switch
    {
        ObjectShape own => new JsonObject(own.Fields.Where(field => field.Required).Select(field => KeyValuePair.Create(field.Name, SampleOf(field)))),
        TaggedShape tagged => SampleOf(tagged, tagged.Variants.First()),
        ArrayShape array => new JsonArray([.. Enumerable.Range(0, Math.Max(1, array.MinItems)).Select(_ => Sample(array.Item))]),
        MapShape or AnyObjectShape => new JsonObject(),
        UnionShape union => Sample(union.Alternatives[0]),
        StringShape text => text.Values?[0] ?? (text.Pattern is not null ? "f" : new string('x', Math.Max(1, text.MinLength))),
        NumberShape number => Math.Clamp(1, number.Min, number.Max),
        IntegerShape integer => Math.Max(1, integer.Min),
        BooleanShape boolean => boolean.Only ?? true,
        _ => throw new NotSupportedException($"No sample of {shape.GetType().Name}: teach {nameof(ShapePlace)} the new shape."),
    };

    /// <summary>The whole request as text, valid but for the raw JSON text at this place.</summary>
    public string BodyWith(string json) => Text(_around(HoleNode())).Replace(Hole, json, StringComparison.Ordinal);

    /// <summary>The same without the field.</summary>
    public string BodyWithout()
    {
        string body = Text(_around(HoleNode()));
        string field = JsonSerializer.Serialize(Field!.Name) + ":" + Hole;
        return body.Replace(field + ",", "", StringComparison.Ordinal).Replace("," + field, "", StringComparison.Ordinal).Replace(field, "", StringComparison.Ordinal);
    }

    /// <summary>The same with a valid value given twice.</summary>
    public string BodyWithTwice()
    {
        string name = JsonSerializer.Serialize(Field!.Name) + ":";
        string value = Text(Sample(Shape));
        return Text(_around(HoleNode())).Replace(name + Hole, $"{name}{value},{name}{value}", StringComparison.Ordinal);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Param} ({Shape.GetType().Name})";

    private static IEnumerable<ShapePlace> Below(Shape shape, string path, Func<JsonNode?, JsonNode?> around, int depth)
    {
        if (depth > MaxDepth)
        {
            return [];
        }

        return shape switch
        {
            ObjectShape own => own.Fields.SelectMany(field => Under(field, (JsonObject)Sample(own)!, path, around, depth)),
            TaggedShape tagged => tagged.Variants.SelectMany(
                variant => variant.Value.Fields.SelectMany(field => Under(field, SampleOf(tagged, variant), path, around, depth))),
            ArrayShape array => Elements(array.Item, path + "[0]", value => around(Padded(value, array)), depth),
            MapShape map => Elements(map.Value, path + ".a", value => around(new JsonObject { ["a"] = value }), depth),
            UnionShape union => Merged(union).SelectMany(alternative => Below(alternative, path, around, depth + 1)),
            _ => [],
        };
    }

    /// <summary>The alternatives, those that are arrays as one: an element may be what any of them takes.</summary>
    private static IEnumerable<Shape> Merged(UnionShape union)
    {
        ArrayShape[] arrays = [.. union.Alternatives.OfType<ArrayShape>()];
        IEnumerable<Shape> others = union.Alternatives.Except(arrays);
        return arrays.Length < 2 ? union.Alternatives
            : others.Append(new ArrayShape(new UnionShape([.. arrays.Select(array => array.Item)]), arrays.Max(array => array.MinItems)));
    }

    private static IEnumerable<ShapePlace> Under(Field field, JsonObject parent, string path, Func<JsonNode?, JsonNode?> around, int depth)
    {
        string param = path.Length == 0 ? field.Name : path + "." + field.Name;
        JsonNode? Around(JsonNode? value)
        {
            JsonObject whole = (JsonObject)parent.DeepClone();
            whole[field.Name] = value;
            return around(whole);
        }

        return Below(field.Shape, param, Around, depth + 1).Prepend(new ShapePlace(param, field.Shape, field, Around));
    }

    private static IEnumerable<ShapePlace> Elements(Shape item, string param, Func<JsonNode?, JsonNode?> around, int depth) =>
        Below(item, param, around, depth + 1).Prepend(new ShapePlace(param, item, null, around));

    private static JsonArray Padded(JsonNode? first, ArrayShape array)
    {
        JsonArray whole = [first];
        while (whole.Count < array.MinItems)
        {
            whole.Add(Sample(array.Item));
        }

        return whole;
    }

    private static JsonNode? SampleOf(Field field) => field.Name == "model" ? FakeEngine.ModelName : Sample(field.Shape);

    private static JsonObject SampleOf(TaggedShape tagged, KeyValuePair<string, ObjectShape> variant)
    {
        JsonObject sample = (JsonObject)Sample(variant.Value)!;
        sample[tagged.Tag] = variant.Key;
        return sample;
    }

    private static JsonNode HoleNode() => JsonNode.Parse(Hole)!;

    private static string Text(JsonNode? node) => node?.ToJsonString() ?? "null";
}
