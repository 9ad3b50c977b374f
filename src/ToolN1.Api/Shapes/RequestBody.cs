using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.Extensions.Options;
using ToolN1.Api.Errors;

namespace ToolN1.Api.Shapes;

/// <summary>Reads a request's body as JSON and checks it against a shape. Nothing past this point sees malformed input.</summary>
internal static class RequestBody
{
    private const int MaxDepth = 64;

    /// <summary>Reads, parses and checks the body.</summary>
    /// <returns>The document; the caller disposes it.</returns>
    /// <exception cref="ApiException">415, 413 or 400 with the field or the position at fault.</exception>
    public static async Task<JsonDocument> ReadAsync(HttpContext context, ObjectShape shape)
    {
        RequireJson(context.Request);
        long limit = context.RequestServices.GetRequiredService<IOptions<ServerOptions>>().Value.MaxRequestBodyBytes;
        byte[] body = await ReadBytesAsync(context, limit);
        JsonDocument document = Parse(body);
        try
        {
            JsonText.Check(document.RootElement, FieldPath.Root);
            shape.Check(document.RootElement, FieldPath.Root);
            return document;
        }
        catch
        {
            document.Dispose();
            throw;
        }
    }

    /// <summary>Parses UTF-8 JSON text.</summary>
    /// <exception cref="ApiException">400 with the position of the fault.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> body)
    {
        if (body.Length == 0)
        {
            throw ApiException.Invalid(null, "The request's body is empty; send a JSON object.", "invalid_json");
        }

        if (!Utf8.IsValid(body.Span))
        {
            throw ApiException.Invalid(null, "The request's body is not valid UTF-8.", "invalid_utf8");
        }

        try
        {
            return JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = MaxDepth });
        }
        catch (JsonException exception)
        {
            throw ApiException.Invalid(
                null,
                $"The request's body is not valid JSON, or nests deeper than {MaxDepth} levels "
                    + $"(line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}).",
                "invalid_json");
        }
    }

    private static void RequireJson(HttpRequest request)
    {
        // Strict on purpose: a web page can send text/plain across origins without asking, application/json it cannot.
        bool json = System.Net.Http.Headers.MediaTypeHeaderValue.TryParse(request.ContentType, out System.Net.Http.Headers.MediaTypeHeaderValue? type)
            && string.Equals(type.MediaType, "application/json", StringComparison.OrdinalIgnoreCase)
            && (type.CharSet is null || string.Equals(type.CharSet.Trim('"'), "utf-8", StringComparison.OrdinalIgnoreCase));
        if (!json)
        {
            throw ErrorWriter.FromStatus(StatusCodes.Status415UnsupportedMediaType);
        }

        if (request.Headers.ContentEncoding.Any(encoding => !string.Equals(encoding, "identity", StringComparison.OrdinalIgnoreCase)))
        {
            throw new ApiException(
                StatusCodes.Status415UnsupportedMediaType, ErrorTypes.InvalidRequest, "Send the body as it is: this server takes no Content-Encoding.", code: "unsupported_media_type");
        }
    }

    private static async Task<byte[]> ReadBytesAsync(HttpContext context, long limit)
    {
        if (context.Request.ContentLength > limit)
        {
            throw ErrorWriter.FromStatus(StatusCodes.Status413PayloadTooLarge);
        }

        ArrayBufferWriter<byte> buffer = new((int)Math.Min(limit, context.Request.ContentLength ?? 4096) + 1);
        while (true)
        {
            int read = await context.Request.Body.ReadAsync(buffer.GetMemory(4096), context.RequestAborted);
            if (read == 0)
            {
                return buffer.WrittenSpan.ToArray();
            }

            buffer.Advance(read);
            if (buffer.WrittenCount > limit)
            {
                throw ErrorWriter.FromStatus(StatusCodes.Status413PayloadTooLarge);
            }
        }
    }
}
