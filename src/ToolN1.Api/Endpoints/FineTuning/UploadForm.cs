using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using ToolN1.Api.Errors;

namespace ToolN1.Api.Endpoints.FineTuning;

/// <summary>Reads the multipart form of POST /v1/files; the file goes to disk as it comes.</summary>
internal static class UploadForm
{
    private const int MostFieldCharacters = 256;
    private const int MostFileNameCharacters = 255;

    /// <summary>The reader's own complaint; what the file system says has another code.</summary>
    private const int FormFault = unchecked((int)0x80131620);

    /// <summary>Reads the form.</summary>
    /// <param name="request">The request.</param>
    /// <param name="path">Where the file's bytes go.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The file's name.</returns>
    /// <exception cref="ApiException">415 or 400 naming the field at fault.</exception>
    public static async Task<string> ReceiveAsync(HttpRequest request, string path, CancellationToken cancellationToken)
    {
        MultipartReader reader = new(Boundary(request), request.Body);
        string? name = null;
        string? purpose = null;
        try
        {
            while (await reader.ReadNextSectionAsync(cancellationToken) is MultipartSection section)
            {
                ContentDispositionHeaderValue? disposition = section.GetContentDispositionHeader();
                string field = HeaderUtilities.RemoveQuotes(disposition?.Name ?? default).ToString();
                switch (field)
                {
                    case "file" when name is null:
                        name = FileName(disposition!);
                        await using (FileStream stream = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16, FileOptions.Asynchronous))
                        {
                            await section.Body.CopyToAsync(stream, cancellationToken);
                        }

                        break;
                    case "purpose" when purpose is null:
                        purpose = await TextAsync(section, cancellationToken);
                        break;
                    case "file" or "purpose":
                        throw ApiException.Invalid(field, $"'{field}' is given twice.", "duplicate_parameter");
                    default:
                        throw ApiException.Invalid(field, $"Unknown parameter: '{field}'.", "unknown_parameter");
                }
            }
        }
        catch (Exception error) when (error is InvalidDataException || (error.GetType() == typeof(IOException) && error.HResult == FormFault))
        {
            throw ApiException.Invalid(null, "The form ends early or is malformed.", "invalid_form");
        }

        return purpose is null ? throw Missing("purpose")
            : purpose != "fine-tune" ? throw ApiException.Invalid("purpose", "Invalid value for 'purpose': supported values are 'fine-tune'.")
            : name ?? throw Missing("file");
    }

    private static string Boundary(HttpRequest request)
    {
        bool isForm = MediaTypeHeaderValue.TryParse(request.ContentType, out MediaTypeHeaderValue? type)
            && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase);
        string boundary = isForm ? HeaderUtilities.RemoveQuotes(type!.Boundary).ToString() : "";
        return boundary.Length is > 0 and <= 200
            ? boundary
            : throw new ApiException(StatusCodes.Status415UnsupportedMediaType, ErrorTypes.InvalidRequest, "Send the file as Content-Type: multipart/form-data.", code: "unsupported_media_type");
    }

    private static string FileName(ContentDispositionHeaderValue disposition)
    {
        string name = HeaderUtilities.RemoveQuotes(disposition.FileNameStar.HasValue ? disposition.FileNameStar : disposition.FileName).ToString();
        return name.Length is > 0 and <= MostFileNameCharacters
            ? name
            : throw ApiException.Invalid("file", $"'file' needs a file name of at most {MostFileNameCharacters} characters.");
    }

    private static async Task<string> TextAsync(MultipartSection section, CancellationToken cancellationToken)
    {
        using StreamReader reader = new(section.Body);
        char[] buffer = new char[MostFieldCharacters];
        int length = await reader.ReadBlockAsync(buffer, cancellationToken);
        return new string(buffer, 0, length);
    }

    private static ApiException Missing(string field) =>
        ApiException.Invalid(field, $"Missing required parameter: '{field}'.", "missing_required_parameter");
}
