using System.Text.Json;
using System.Text.Json.Serialization;

namespace ToolN1.Api.Contracts;

/// <summary>A chunk's <c>usage</c>, which has three states: absent, null, and the counts.</summary>
[JsonConverter(typeof(ChunkUsageConverter))]
internal readonly record struct ChunkUsage(bool IsPresent, Usage? Counts)
{
    /// <summary>Written as null.</summary>
    public static ChunkUsage Null { get; } = new(true, null);
}

/// <summary>Writes the counts or null; the absent state is left out by the property's own condition.</summary>
internal sealed class ChunkUsageConverter : JsonConverter<ChunkUsage>
{
    /// <inheritdoc/>
    public override ChunkUsage Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new NotSupportedException("Chunks are only written.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, ChunkUsage value, JsonSerializerOptions options)
    {
        if (value.Counts is null)
        {
            writer.WriteNullValue();
        }
        else
        {
            JsonSerializer.Serialize(writer, value.Counts, ApiJsonContext.Relaxed.Usage);
        }
    }
}
