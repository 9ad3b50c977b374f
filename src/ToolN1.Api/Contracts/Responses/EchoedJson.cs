using System.Text.Json;
using System.Text.Json.Serialization;

namespace ToolN1.Api.Contracts.Responses;

/// <summary>A field of the request, repeated as it came; what its absence means where it was absent.</summary>
[JsonConverter(typeof(EchoedJsonConverter))]
internal readonly record struct EchoedJson(JsonElement Value);

/// <summary>Writes the value as it is.</summary>
internal sealed class EchoedJsonConverter : JsonConverter<EchoedJson>
{
    /// <inheritdoc/>
    public override EchoedJson Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new NotSupportedException("Responses are only written.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, EchoedJson value, JsonSerializerOptions options) => value.Value.WriteTo(writer);
}
