using System.Formats.Tar;

namespace ToolN1.Api.Endpoints.FineTuning;

/// <summary>Answers with a folder's files as a tar archive, as they are read: nothing is built up in memory or on disk.</summary>
internal static class TarAnswer
{
    /// <summary>Writes the archive.</summary>
    /// <param name="context">The request.</param>
    /// <param name="name">Of the folder within the archive, and of the file that a browser saves.</param>
    /// <param name="folder">Its files, not those of folders in it.</param>
    public static async Task WriteAsync(HttpContext context, string name, string folder)
    {
        string plain = string.Concat(name.Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.' or '@' ? letter : '-'));
        context.Response.ContentType = "application/x-tar";
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{plain}.tar\"";
        await using TarWriter tar = new(context.Response.Body, TarEntryFormat.Pax, leaveOpen: true);
        foreach (string file in Directory.GetFiles(folder).Order(StringComparer.Ordinal))
        {
            await tar.WriteEntryAsync(file, $"{plain}/{Path.GetFileName(file)}", context.RequestAborted);
        }
    }
}
