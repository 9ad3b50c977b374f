using System.Text.Json;

namespace ToolN1.Training.Captures;

/// <summary>Holds calls against the tools that a request offered.</summary>
internal static class CallCheck
{
    /// <summary>The first thing that is wrong with the calls, or null.</summary>
    /// <param name="tools">Function objects, as JSON text.</param>
    /// <param name="calls">The calls.</param>
    public static SchemaFault? Find(IReadOnlyList<string> tools, IReadOnlyList<CapturedCall> calls)
    {
        for (int i = 0; i < calls.Count; i++)
        {
            if (Find(tools, calls[i], $"calls[{i}]") is SchemaFault fault)
            {
                return fault;
            }
        }

        return null;
    }

    private static SchemaFault? Find(IReadOnlyList<string> tools, CapturedCall call, string place)
    {
        foreach (string tool in tools)
        {
            using JsonDocument function = JsonDocument.Parse(tool);
            if (function.RootElement.GetProperty("name").GetString() == call.Name)
            {
                return FindInArguments(function.RootElement, call.Arguments, place + ".arguments");
            }
        }

        return new SchemaFault(place + ".name", tools.Count == 0 ? "the request offered no tools" : "the request offered no tool of this name");
    }

    private static SchemaFault? FindInArguments(JsonElement function, string arguments, string place)
    {
        JsonDocument value;
        try
        {
            value = JsonDocument.Parse(arguments);
        }
        catch (JsonException)
        {
            return new SchemaFault(place, "it must be a JSON object");
        }

        using (value)
        {
            return value.RootElement.ValueKind != JsonValueKind.Object ? new SchemaFault(place, "it must be a JSON object")
                : !HoldsTexts(value.RootElement) ? new SchemaFault(place, "a text in it holds an escaped half of a surrogate pair, which is not a character")
                : function.TryGetProperty("parameters", out JsonElement parameters) ? new SchemaCheck(parameters).Find(value.RootElement, place)
                : null;
        }
    }

    /// <summary>Whether every string and name can be read as text: a model may write <c>"\ud800"</c>, which JSON takes and nobody can read.</summary>
    private static bool HoldsTexts(JsonElement value)
    {
        try
        {
            using Utf8JsonWriter writer = new(Stream.Null);
            value.WriteTo(writer);
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}

/// <summary>Where a value breaks its schema, and how.</summary>
/// <param name="Place">A path such as <c>calls[0].arguments.city</c>.</param>
/// <param name="Rule">What holds there: "it must be …".</param>
internal sealed record SchemaFault(string Place, string Rule);
