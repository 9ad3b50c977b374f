using System.Text.Json;
using ToolN1.Api.Errors;

namespace ToolN1.Api.Shapes;

/// <summary>Rules for every text and object of a request, also those that shapes leave free (a tool's parameters).</summary>
internal static class JsonText
{
    /// <summary>Refuses duplicate keys and escaped lone surrogates (<c>"\ud800"</c>), which are no text, with their path.</summary>
    /// <param name="value">Any JSON value.</param>
    /// <param name="path">Where it stands.</param>
    /// <param name="allowDuplicates">For text that a model wrote: a key given twice is not the caller's fault.</param>
    /// <exception cref="ApiException">400 naming the field.</exception>
    public static void Check(JsonElement value, FieldPath path, bool allowDuplicates = false)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                Text(value.GetString, path);
                break;
            case JsonValueKind.Array:
                int index = 0;
                foreach (JsonElement item in value.EnumerateArray())
                {
                    if (item.ValueKind is not JsonValueKind.Number)
                    {
                        Check(item, path.Item(index), allowDuplicates);
                    }

                    index++;
                }

                break;
            case JsonValueKind.Object:
                HashSet<string> names = new(StringComparer.Ordinal);
                foreach (JsonProperty property in value.EnumerateObject())
                {
                    string name = Text(() => property.Name, path)!;
                    FieldPath child = path.Field(name);
                    if (!names.Add(name) && !allowDuplicates)
                    {
                        throw ApiException.Invalid(child.ToParam(), $"'{child}' is given twice.", "duplicate_parameter");
                    }

                    Check(property.Value, child, allowDuplicates);
                }

                break;
            default:
                break;
        }
    }

    private static string? Text(Func<string?> read, FieldPath path)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException)
        {
            throw ApiException.Invalid(path.ToParam(), $"'{path}' holds an escaped half of a surrogate pair, which is not a character.", "invalid_unicode");
        }
    }
}
