using System.Text.Json;

namespace ToolN1.Api.Shapes;

/// <summary>Reads fields of an object that its shape has already checked. Null counts as absent.</summary>
internal static class JsonFields
{
    public static bool Has(this JsonElement element, string name, out JsonElement value) =>
        element.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;

    public static string? String(this JsonElement element, string name) => element.Has(name, out JsonElement value) ? value.GetString() : null;

    public static double? Number(this JsonElement element, string name) => element.Has(name, out JsonElement value) ? value.GetDouble() : null;

    public static int? Integer(this JsonElement element, string name) => element.Has(name, out JsonElement value) ? value.GetInt32() : null;

    public static long? Long(this JsonElement element, string name) => element.Has(name, out JsonElement value) ? value.GetInt64() : null;

    public static bool? Boolean(this JsonElement element, string name) => element.Has(name, out JsonElement value) ? value.GetBoolean() : null;

    public static IEnumerable<JsonElement> Items(this JsonElement element, string name) =>
        element.Has(name, out JsonElement value) ? value.EnumerateArray() : [];
}
