using System.Text.Json;
using ToolN1.Api.Errors;
using ToolN1.Api.Shapes;
using ToolN1.Engine.Chat;

namespace ToolN1.Api.Contracts;

/// <summary>Maps a checked response format to the engine's terms.</summary>
internal static class ResponseFormatBinder
{
    /// <summary>The format of a chat completion.</summary>
    /// <exception cref="ApiException">400: a schema format without a schema.</exception>
    public static ResponseFormat Bind(JsonElement request) => !request.Has("response_format", out JsonElement format)
        ? new ResponseFormat.Text()
        : format.String("type") switch
        {
            "json_object" => new ResponseFormat.JsonObject(),
            "json_schema" => Schema(format.GetProperty("json_schema"), "response_format.json_schema.schema"),
            _ => new ResponseFormat.Text(),
        };

    /// <summary>A schema format.</summary>
    /// <param name="holder">The object with <c>schema</c> and <c>strict</c>.</param>
    /// <param name="param">The schema's path, for errors.</param>
    /// <exception cref="ApiException">400: no schema.</exception>
    public static ResponseFormat Schema(JsonElement holder, string param) => holder.Has("schema", out JsonElement schema)
        ? new ResponseFormat.JsonSchema(schema.GetRawText(), holder.Boolean("strict") ?? false)
        : throw ApiException.Invalid(param, $"Missing required parameter: '{param}'.", "missing_required_parameter");
}
