using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.OpenApi;

namespace ToolN1.Api.Shapes;

/// <summary>A string, optionally one of some values, of a pattern, or of bounded length (UTF-16 units).</summary>
internal sealed class StringShape : Shape
{
    /// <summary>The only values allowed, where set.</summary>
    public IReadOnlyList<string>? Values { get; init; }

    /// <summary>Values of OpenAI's that are refused, with the reason.</summary>
    public IReadOnlyDictionary<string, string> Refused { get; init; } = new Dictionary<string, string>();

    /// <summary>A pattern that the whole value must match, where set.</summary>
    public Regex? Pattern { get; init; }

    /// <summary>Fewest characters.</summary>
    public int MinLength { get; init; }

    /// <summary>Most characters.</summary>
    public int MaxLength { get; init; } = int.MaxValue;

    public override string Expectation => Values is { Count: 1 } ? $"the string '{Values[0]}'" : "a string";

    public override string Range => Values is not null ? string.Join(", ", Values.Select(value => $"`{value}`"))
        : MaxLength < int.MaxValue ? $"a string, {MinLength} to {MaxLength} characters"
        : Expectation;

    public override bool Fits(JsonElement value) => value.ValueKind == JsonValueKind.String;

    public override void Check(JsonElement value, FieldPath path)
    {
        if (!Fits(value))
        {
            throw WrongType(value, path);
        }

        if (Values is null && Pattern is null && MinLength == 0 && MaxLength == int.MaxValue)
        {
            return;
        }

        string text = value.GetString()!;
        if (Refused.TryGetValue(text, out string? reason))
        {
            throw Errors.ApiException.Unsupported(path.ToString(), $"Unsupported value for '{path}': '{text}'. {reason}");
        }

        if (Values is not null && !Values.Contains(text))
        {
            throw WrongValue(path, "supported values are " + string.Join(", ", Values.Select(allowed => $"'{allowed}'")));
        }

        if (text.Length < MinLength || text.Length > MaxLength)
        {
            throw WrongValue(path, MaxLength == int.MaxValue ? "it must not be empty" : $"its length must be between {MinLength} and {MaxLength}");
        }

        if (Pattern?.IsMatch(text) == false)
        {
            throw WrongValue(path, $"it must match {Pattern}");
        }
    }

    public override IOpenApiSchema ToSchema(OpenApiDocument document) => new OpenApiSchema
    {
        Type = JsonSchemaType.String,
        Enum = Values?.Select(value => (JsonNode)JsonValue.Create(value)).ToList(),
        Pattern = Pattern?.ToString(),
        MinLength = MinLength > 0 ? MinLength : null,
        MaxLength = MaxLength < int.MaxValue ? MaxLength : null,
    };
}

/// <summary>A finite number within bounds.</summary>
internal sealed class NumberShape(double min, double max) : Shape
{
    /// <summary>The least value.</summary>
    public double Min => min;

    /// <summary>The greatest value.</summary>
    public double Max => max;

    /// <summary>Whether <c>min</c> itself is refused.</summary>
    public bool MinIsExclusive { get; init; }

    public override string Expectation => "a number";

    public override string Range => $"a number {(MinIsExclusive ? "above" : "from")} {Text(min)} to {Text(max)}";

    public override bool Fits(JsonElement value) => value.ValueKind == JsonValueKind.Number;

    public override void Check(JsonElement value, FieldPath path)
    {
        if (!Fits(value))
        {
            throw WrongType(value, path);
        }

        double number = value.GetDouble();
        if (!double.IsFinite(number) || number > max || (MinIsExclusive ? number <= min : number < min))
        {
            throw WrongValue(path, MinIsExclusive ? $"it must be greater than {Text(min)} and at most {Text(max)}" : $"it must be between {Text(min)} and {Text(max)}");
        }
    }

    public override IOpenApiSchema ToSchema(OpenApiDocument document) => new OpenApiSchema
    {
        Type = JsonSchemaType.Number,
        Minimum = MinIsExclusive ? null : Text(min),
        ExclusiveMinimum = MinIsExclusive ? Text(min) : null,
        Maximum = Text(max),
    };

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);
}

/// <summary>A whole number within bounds, both included.</summary>
internal sealed class IntegerShape(long min, long max) : Shape
{
    /// <summary>The least value.</summary>
    public long Min => min;

    public override string Expectation => "an integer";

    public override string Range => min == long.MinValue ? Expectation
        : max >= int.MaxValue ? $"an integer from {min}"
        : $"an integer from {min} to {max}";

    public override bool Fits(JsonElement value) => value.ValueKind == JsonValueKind.Number;

    public override void Check(JsonElement value, FieldPath path)
    {
        if (!Fits(value))
        {
            throw WrongType(value, path);
        }

        if (!value.TryGetInt64(out long number))
        {
            throw WrongValue(path, "it must be a whole number of at most 64 bits");
        }

        if (number < min || number > max)
        {
            throw WrongValue(path, max == long.MaxValue ? $"it must be at least {min}" : $"it must be between {min} and {max}");
        }
    }

    public override IOpenApiSchema ToSchema(OpenApiDocument document) => new OpenApiSchema
    {
        Type = JsonSchemaType.Integer,
        Minimum = min == long.MinValue ? null : min.ToString(CultureInfo.InvariantCulture),
        Maximum = max == long.MaxValue ? null : max.ToString(CultureInfo.InvariantCulture),
    };
}

/// <summary>True or false, or only one of them where the other is not supported.</summary>
internal sealed class BooleanShape : Shape
{
    /// <summary>The only value supported, where set.</summary>
    public bool? Only { get; init; }

    /// <summary>Why the other value is refused.</summary>
    public string? Reason { get; init; }

    public override string Expectation => "a boolean";

    public override string Range => Only is bool only ? $"`{(only ? "true" : "false")}`" : Expectation;

    public override bool Fits(JsonElement value) => value.ValueKind is JsonValueKind.True or JsonValueKind.False;

    public override void Check(JsonElement value, FieldPath path)
    {
        if (!Fits(value))
        {
            throw WrongType(value, path);
        }

        if (Only is bool only && value.GetBoolean() != only)
        {
            throw Errors.ApiException.Unsupported(path.ToString(), $"'{path}' must be {(only ? "true" : "false")}: {Reason}.");
        }
    }

    public override IOpenApiSchema ToSchema(OpenApiDocument document) => new OpenApiSchema
    {
        Type = JsonSchemaType.Boolean,
        Enum = Only is bool only ? [JsonValue.Create(only)] : null,
    };
}
