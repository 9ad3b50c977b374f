using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Numerics;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml;

namespace ToolN1.Engine.Tests.Constraints;

/// <summary>
/// A plain validator of JSON Schema 2020-12, written from the specification and sharing no code with the compiler under
/// test (JsonSchema.Net cannot be restored where this was written). It knows the keywords that the compiler enforces and
/// throws for any other.
/// </summary>
internal sealed class JsonSchemaValidator(JsonElement root)
{
    private static readonly HashSet<string> Ignored =
        ["$defs", "definitions", "title", "description", "default", "examples", "example", "$comment", "$schema", "$id", "deprecated", "readOnly", "writeOnly", "nullable"];

    /// <summary>Whether a value fulfils a schema.</summary>
    public static bool IsValid(string schema, string value)
    {
        using JsonDocument schemaDocument = JsonDocument.Parse(schema, new JsonDocumentOptions { MaxDepth = 500 });
        using JsonDocument valueDocument = JsonDocument.Parse(value, new JsonDocumentOptions { AllowDuplicateProperties = true });
        return new JsonSchemaValidator(schemaDocument.RootElement).Holds(schemaDocument.RootElement, valueDocument.RootElement);
    }

    private bool Holds(JsonElement schema, JsonElement value) => schema.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => schema.EnumerateObject().All(keyword => Holds(schema, keyword.Name, keyword.Value, value)),
    };

    private bool Holds(JsonElement schema, string keyword, JsonElement argument, JsonElement value)
    {
        switch (keyword)
        {
            case "$ref": return Holds(Resolve(argument.GetString()!), value);
            case "allOf": return argument.EnumerateArray().All(branch => Holds(branch, value));
            case "anyOf": return argument.EnumerateArray().Any(branch => Holds(branch, value));
            case "oneOf": return argument.EnumerateArray().Count(branch => Holds(branch, value)) == 1;
            case "const": return Equal(argument, value);
            case "enum": return argument.EnumerateArray().Any(item => Equal(item, value));
            case "type":
                bool nullable = schema.TryGetProperty("nullable", out JsonElement flag) && flag.ValueKind == JsonValueKind.True;
                return (nullable && value.ValueKind == JsonValueKind.Null)
                    || (argument.ValueKind == JsonValueKind.Array
                        ? argument.EnumerateArray().Any(type => IsOf(type.GetString()!, value))
                        : IsOf(argument.GetString()!, value));
        }

        return value.ValueKind switch
        {
            JsonValueKind.String when keyword is "minLength" or "maxLength" or "pattern" or "format" => StringHolds(keyword, argument, value.GetString()!),
            JsonValueKind.Number when keyword is "minimum" or "maximum" or "exclusiveMinimum" or "exclusiveMaximum" or "multipleOf" => NumberHolds(keyword, argument, value),
            JsonValueKind.Array when keyword is "items" or "prefixItems" or "minItems" or "maxItems" or "uniqueItems" => ArrayHolds(schema, keyword, argument, value),
            JsonValueKind.Object when keyword is "properties" or "required" or "additionalProperties" or "patternProperties" or "minProperties" or "maxProperties"
                => ObjectHolds(schema, keyword, argument, value),
            _ => IsKnown(keyword) ? true : throw new NotSupportedException(keyword),
        };
    }

    private static bool IsKnown(string keyword) =>
        Ignored.Contains(keyword) || keyword is "minLength" or "maxLength" or "pattern" or "format" or "minimum" or "maximum" or "exclusiveMinimum"
            or "exclusiveMaximum" or "multipleOf" or "items" or "prefixItems" or "minItems" or "maxItems" or "uniqueItems" or "properties" or "required"
            or "additionalProperties" or "patternProperties" or "minProperties" or "maxProperties";

    private static bool IsOf(string type, JsonElement value) => type switch
    {
        "null" => value.ValueKind == JsonValueKind.Null,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "string" => value.ValueKind == JsonValueKind.String,
        "array" => value.ValueKind == JsonValueKind.Array,
        "object" => value.ValueKind == JsonValueKind.Object,
        "number" => value.ValueKind == JsonValueKind.Number,
        "integer" => value.ValueKind == JsonValueKind.Number && Fraction(value).Denominator.IsOne,
        _ => throw new NotSupportedException(type),
    };

    private static bool StringHolds(string keyword, JsonElement argument, string text) => keyword switch
    {
        "minLength" => text.EnumerateRunes().Count() >= argument.GetInt64(),
        "maxLength" => text.EnumerateRunes().Count() <= argument.GetInt64(),
        "pattern" => Regex.IsMatch(text, argument.GetString()!.Replace("$", "\\z", StringComparison.Ordinal), RegexOptions.ECMAScript & RegexOptions.None | RegexOptions.CultureInvariant),
        _ => FormatHolds(argument.GetString()!, text),
    };

    private static bool FormatHolds(string format, string text) => format switch
    {
        "date" => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        "time" => Regex.IsMatch(text, @"^\d\d:\d\d:\d\d") && DateTimeOffset.TryParse("2020-01-01T" + text, CultureInfo.InvariantCulture, out _),
        "date-time" => text.Length > 19 && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out _),
        "uuid" => Guid.TryParseExact(text, "D", out _),
        "email" => System.Net.Mail.MailAddress.TryCreate(text, out System.Net.Mail.MailAddress? mail) && mail.Address == text,
        "hostname" => Uri.CheckHostName(text) is UriHostNameType.Dns or UriHostNameType.IPv4,
        "ipv4" => IPAddress.TryParse(text, out IPAddress? four) && four.AddressFamily == AddressFamily.InterNetwork && four.ToString() == text,
        "ipv6" => IPAddress.TryParse(text, out IPAddress? six) && six.AddressFamily == AddressFamily.InterNetworkV6 && !text.Contains('%', StringComparison.Ordinal),
        "uri" => Uri.TryCreate(text, UriKind.Absolute, out _),
        "duration" => text.Contains('W', StringComparison.Ordinal) ? Regex.IsMatch(text, @"^P\d+W$") : IsDuration(text),
        _ => throw new NotSupportedException(format),
    };

    private static bool IsDuration(string text)
    {
        try
        {
            XmlConvert.ToTimeSpan(text);
            return true;
        }
        catch (OverflowException)
        {
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static bool NumberHolds(string keyword, JsonElement argument, JsonElement value)
    {
        (BigInteger a, BigInteger b) = Fraction(value);
        (BigInteger c, BigInteger d) = Fraction(argument);
        int order = (a * d).CompareTo(c * b);
        return keyword switch
        {
            "minimum" => order >= 0,
            "maximum" => order <= 0,
            "exclusiveMinimum" => order > 0,
            "exclusiveMaximum" => order < 0,
            _ => (a * d % (c * b)).IsZero,
        };
    }

    private bool ArrayHolds(JsonElement schema, string keyword, JsonElement argument, JsonElement value)
    {
        int count = value.GetArrayLength();
        int prefix = schema.TryGetProperty("prefixItems", out JsonElement first) ? first.GetArrayLength() : 0;
        return keyword switch
        {
            "minItems" => count >= argument.GetInt64(),
            "maxItems" => count <= argument.GetInt64(),
            "uniqueItems" => argument.ValueKind == JsonValueKind.False ? true : throw new NotSupportedException(keyword),
            "prefixItems" => value.EnumerateArray().Zip(argument.EnumerateArray()).All(pair => Holds(pair.Second, pair.First)),
            _ => value.EnumerateArray().Skip(prefix).All(item => Holds(argument, item)),
        };
    }

    private bool ObjectHolds(JsonElement schema, string keyword, JsonElement argument, JsonElement value)
    {
        JsonProperty[] members = [.. value.EnumerateObject()];
        switch (keyword)
        {
            case "required":
                return argument.EnumerateArray().All(name => value.TryGetProperty(name.GetString()!, out _));
            case "minProperties":
                return members.Select(member => member.Name).Distinct().Count() >= argument.GetInt64();
            case "maxProperties":
                return members.Length <= argument.GetInt64();
            case "properties":
                return members.All(member => !argument.TryGetProperty(member.Name, out JsonElement child) || Holds(child, member.Value));
            case "patternProperties":
                return members.All(member => argument.EnumerateObject().All(pattern => !Regex.IsMatch(member.Name, pattern.Name) || Holds(pattern.Value, member.Value)));
            default:
                return members.All(member =>
                    (schema.TryGetProperty("properties", out JsonElement declared) && declared.TryGetProperty(member.Name, out _))
                    || (schema.TryGetProperty("patternProperties", out JsonElement patterns) && patterns.EnumerateObject().Any(pattern => Regex.IsMatch(member.Name, pattern.Name)))
                    || Holds(argument, member.Value));
        }
    }

    private JsonElement Resolve(string reference) =>
        reference.Split('/').Skip(1).Aggregate(root, (element, step) =>
        {
            string name = step.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            return element.ValueKind == JsonValueKind.Array ? element[int.Parse(name, CultureInfo.InvariantCulture)] : element.GetProperty(name);
        });

    private static bool Equal(JsonElement a, JsonElement b) =>
        a.ValueKind == JsonValueKind.Number && b.ValueKind == JsonValueKind.Number ? Fraction(a) == Fraction(b) : JsonElement.DeepEquals(a, b);

    private static (BigInteger Numerator, BigInteger Denominator) Fraction(JsonElement number)
    {
        Match match = Regex.Match(number.GetRawText(), @"^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$");
        string fraction = match.Groups[3].Value;
        int exponent = (match.Groups[4].Success ? int.Parse(match.Groups[4].Value, CultureInfo.InvariantCulture) : 0) - fraction.Length;
        BigInteger numerator = BigInteger.Parse(match.Groups[2].Value + fraction, CultureInfo.InvariantCulture) * (match.Groups[1].Value == "-" ? -1 : 1);
        BigInteger denominator = BigInteger.One;
        if (exponent < 0)
        {
            denominator = BigInteger.Pow(10, -exponent);
        }
        else
        {
            numerator *= BigInteger.Pow(10, exponent);
        }

        BigInteger divisor = BigInteger.GreatestCommonDivisor(numerator, denominator);
        return (numerator / divisor, denominator / divisor);
    }
}
