using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ToolN1.Engine.Tests.Constraints;

/// <summary>Random schemas over everything that is enforced, and random values that mostly fulfil them.</summary>
internal sealed class RandomSchemas(int seed)
{
    private static readonly string[] Names = ["a", "ab", "city", "Größe", "name with space", "日本", "q\"uote", "x/y~z", "id", "😀"];
    private static readonly string[] Texts = ["", "a", "ab", "Zürich", "日本語", "tab\tnew\nline", "q\"u\\o", "😀🎉", "plain words here", "</tool_call>"];

    // Each with texts that it matches and does not match.
    private static readonly (string Pattern, string[] Texts)[] Patterns =
    [
        ("^[a-z]+$", ["abc", "ABC", ""]),
        ("^\\d{3}-\\d{4}$", ["123-4567", "1234567"]),
        ("^(yes|no|maybe)$", ["yes", "maybe", "yess"]),
        ("[0-9]", ["a1b", "abc", "7"]),
        ("^[^\\s@]+@[^\\s@]+\\.[a-z]{2,4}$", ["a@b.com", "ü@ö.de", "ab"]),
        ("^[\\u00c0-\\u00ff]*$", ["éü", "e", ""]),
        ("^(a|bc)*d?$", ["abcabcd", "bca", "b"]),
    ];

    private readonly Random _random = new(seed);
    private readonly JsonObject _definitions = [];

    /// <summary>A whole schema.</summary>
    public string Create()
    {
        _definitions.Clear();
        JsonObject schema = Schema(3);
        if (_definitions.Count > 0)
        {
            schema["$defs"] = _definitions.DeepClone();
        }

        return schema.ToJsonString();
    }

    /// <summary>A value that tries to fulfil a schema, in the spelling that the grammar promises; sometimes it does not.</summary>
    public string Value(string schema)
    {
        JsonNode root = JsonNode.Parse(schema)!;
        StringBuilder text = new();
        Write(text, Make(root, root, 0), " ", " ", null, "\n");
        return text.ToString();
    }

    /// <summary>A JSON text in other white space.</summary>
    /// <param name="json">The text.</param>
    /// <param name="comma">Between items.</param>
    /// <param name="colon">After a name.</param>
    /// <param name="indentation">Of one level, each item on a line of its own; null keeps all on one line.</param>
    public static string Restyle(string json, string comma, string colon, string? indentation)
    {
        StringBuilder text = new();
        Write(text, JsonNode.Parse(json), comma, colon, indentation, "\n");
        return text.ToString();
    }

    private static void Write(StringBuilder text, JsonNode? value, string comma, string colon, string? indentation, string line)
    {
        string inner = line + indentation;
        string Open() => indentation is null ? "" : inner;
        string Close() => indentation is null ? "" : line;
        string Inner(JsonNode? node)
        {
            StringBuilder within = new();
            Write(within, node, comma, colon, indentation, inner);
            return within.ToString();
        }

        switch (value)
        {
            case JsonObject { Count: > 0 } members:
                text.Append('{').Append(Open()).AppendJoin("," + (indentation is null ? comma : inner), members.Select(member => Quote(member.Key) + ":" + colon + Inner(member.Value))).Append(Close()).Append('}');
                break;
            case JsonArray { Count: > 0 } items:
                text.Append('[').Append(Open()).AppendJoin("," + (indentation is null ? comma : inner), items.Select(Inner)).Append(Close()).Append(']');
                break;
            case null:
                text.Append("null");
                break;
            case JsonValue scalar when scalar.GetValueKind() == JsonValueKind.String:
                text.Append(Quote(scalar.GetValue<string>()));
                break;
            default:
                text.Append(value.ToJsonString());
                break;
        }
    }

    private static string Quote(string text) => '"' + text.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n").Replace("\t", "\\t") + '"';

    private JsonObject Schema(int depth)
    {
        int kind = _random.Next(depth > 0 ? 15 : 9);
        switch (kind)
        {
            case 0:
                return new JsonObject { ["type"] = Pick("null", "boolean") };
            case 1:
                return Numbers("integer", _random.Next(-50, 50));
            case 2:
                return Numbers("number", _random.Next(-500, 500) / 10.0);
            case 3:
                JsonObject counted = new() { ["type"] = "string" };
                if (_random.Next(2) == 0)
                {
                    int min = _random.Next(4);
                    counted["minLength"] = min;
                    counted["maxLength"] = min + _random.Next(12);
                }

                return counted;
            case 4:
                return new JsonObject { ["type"] = "string", ["pattern"] = Pick(Patterns).Pattern };
            case 5:
                return new JsonObject { ["enum"] = new JsonArray([.. Enumerable.Range(0, 1 + _random.Next(4)).Select(_ => Literal()).DistinctBy(node => node?.ToJsonString())]) };
            case 6:
                return new JsonObject { ["const"] = Literal() };
            case 7:
                return new JsonObject { ["type"] = new JsonArray("string", Pick("null", "integer", "boolean")) };
            case 8:
                return new JsonObject { ["type"] = "string", ["format"] = Pick("date", "uuid", "ipv4", "email", "time") };
            case 9:
                int fewest = _random.Next(3);
                return new JsonObject { ["type"] = "array", ["items"] = Schema(depth - 1), ["minItems"] = fewest, ["maxItems"] = fewest + _random.Next(3) };
            case 10:
                return new JsonObject { ["type"] = "array", ["prefixItems"] = new JsonArray(Schema(depth - 1), Schema(depth - 1)), ["items"] = _random.Next(2) == 0 ? JsonValue.Create(false) : Schema(depth - 1) };
            case 11:
                return new JsonObject { ["anyOf"] = new JsonArray([.. Enumerable.Range(0, 2 + _random.Next(2)).Select(_ => (JsonNode)Schema(depth - 1))]) };
            case 12:
                string name = "d" + _definitions.Count.ToString(CultureInfo.InvariantCulture);
                _definitions[name] = null;
                JsonObject target = Schema(depth - 1);
                _definitions[name] = _random.Next(2) == 0
                    ? target
                    : new JsonObject { ["type"] = "object", ["properties"] = new JsonObject { ["next"] = new JsonObject { ["$ref"] = "#/$defs/" + name }, ["value"] = target }, ["required"] = new JsonArray("value"), ["additionalProperties"] = false };
                return new JsonObject { ["$ref"] = "#/$defs/" + name };
            case 13:
                return new JsonObject { ["type"] = "object", ["additionalProperties"] = Schema(depth - 1), ["maxProperties"] = 1 + _random.Next(3) };
            default:
                return Object(depth);
        }
    }

    private JsonObject Object(int depth)
    {
        JsonObject properties = [];
        JsonArray required = [];
        foreach (string name in Names.OrderBy(_ => _random.Next()).Take(_random.Next(5)))
        {
            properties[name] = Schema(depth - 1);
            if (_random.Next(2) == 0)
            {
                required.Add(name);
            }
        }

        JsonObject schema = new() { ["type"] = "object", ["properties"] = properties, ["required"] = required, ["additionalProperties"] = _random.Next(3) == 0 ? Schema(0) : JsonValue.Create(false) };
        return _random.Next(4) == 0 && properties.Count > 0
            ? new JsonObject { ["allOf"] = new JsonArray(schema, new JsonObject { ["required"] = new JsonArray(JsonValue.Create(properties.First().Key)) }) }
            : schema;
    }

    private JsonObject Numbers(string type, double low)
    {
        JsonObject schema = new() { ["type"] = type };
        if (_random.Next(2) == 0)
        {
            schema[_random.Next(2) == 0 ? "minimum" : "exclusiveMinimum"] = low;
        }

        if (_random.Next(2) == 0)
        {
            schema[_random.Next(2) == 0 ? "maximum" : "exclusiveMaximum"] = low + 5 + _random.Next(300);
        }

        if (type == "integer" && _random.Next(4) == 0)
        {
            schema["multipleOf"] = Pick(2, 3, 7, 10);
        }

        return schema;
    }

    private JsonNode? Literal() => _random.Next(6) switch
    {
        0 => null,
        1 => JsonValue.Create(_random.Next(2) == 0),
        2 => JsonValue.Create(_random.Next(-20, 20)),
        3 => new JsonArray(JsonValue.Create(_random.Next(3)), JsonValue.Create(Pick(Texts))),
        _ => JsonValue.Create(Pick(Texts)),
    };

    private JsonNode? Make(JsonNode root, JsonNode schema, int depth)
    {
        if (schema is JsonValue)
        {
            return JsonValue.Create(1);
        }

        JsonObject here = schema.AsObject();
        if (here["$ref"] is { } reference)
        {
            return Make(root, root["$defs"]![reference.GetValue<string>()["#/$defs/".Length..]]!, depth + 1);
        }

        if (here["allOf"] is JsonArray all)
        {
            return Make(root, all[0]!, depth);
        }

        if (here["anyOf"] is JsonArray any)
        {
            return Make(root, any[_random.Next(any.Count)]!, depth);
        }

        if (here.ContainsKey("const"))
        {
            return here["const"]?.DeepClone();
        }

        if (here["enum"] is JsonArray values)
        {
            return values[_random.Next(values.Count)]?.DeepClone();
        }

        string type = here["type"] is JsonArray types ? types[_random.Next(types.Count)]!.GetValue<string>() : here["type"]!.GetValue<string>();
        switch (type)
        {
            case "null":
                return null;
            case "boolean":
                return JsonValue.Create(_random.Next(2) == 0);
            case "integer":
                return JsonValue.Create(_random.Next(-60, 400));
            case "number":
                return JsonValue.Create(Math.Round(_random.NextDouble() * 400, _random.Next(4)) - 60);
            case "string" when here["pattern"] is { } pattern:
                return JsonValue.Create(Pick(Patterns.First(item => item.Pattern == pattern.GetValue<string>()).Texts));
            case "string" when here["format"] is { } format:
                return JsonValue.Create(format.GetValue<string>() switch
                {
                    "date" => Pick("2024-02-29", "2023-02-29", "1999-12-31"),
                    "uuid" => "123e4567-e89b-12d3-a456-426614174000",
                    "ipv4" => Pick("10.0.0.255", "1.2.3"),
                    "email" => Pick("a.b@example.com", "nobody"),
                    _ => Pick("12:30:00Z", "23:59:59+02:00", "12:30"),
                });
            case "string":
                return JsonValue.Create(Pick(Texts));
            case "array":
                JsonArray prefix = here["prefixItems"] as JsonArray ?? [];
                JsonArray array = [];
                for (int i = 0; i < _random.Next(here["minItems"]?.GetValue<int>() ?? 0, 5); i++)
                {
                    array.Add(Make(root, i < prefix.Count ? prefix[i]! : here["items"]!, depth + 1));
                }

                return array;
            default:
                return MakeObject(root, here, depth);
        }
    }

    private JsonObject MakeObject(JsonNode root, JsonObject schema, int depth)
    {
        JsonObject value = [];
        foreach ((string name, JsonNode? property) in schema["properties"] as JsonObject ?? [])
        {
            bool isRequired = (schema["required"] as JsonArray)?.Any(item => item!.GetValue<string>() == name) ?? false;
            if (depth < 6 && (isRequired ? _random.Next(12) > 0 : _random.Next(2) == 0))
            {
                value[name] = Make(root, property!, depth + 1);
            }
        }

        if (schema["additionalProperties"] is JsonObject additional)
        {
            for (int i = 0; i < _random.Next(3); i++)
            {
                value["further" + i.ToString(CultureInfo.InvariantCulture)] = Make(root, additional, depth + 1);
            }
        }

        return value;
    }

    private T Pick<T>(params T[] items) => items[_random.Next(items.Length)];
}
