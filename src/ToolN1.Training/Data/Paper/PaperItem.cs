using System.Text.Json;

namespace ToolN1.Training.Data.Paper;

/// <summary>One item of a published dataset's file.</summary>
/// <param name="File">The file.</param>
/// <param name="Line">The line it begins at in a text file, the row in a parquet file; both from 1.</param>
/// <param name="Value">The item; undefined where it could not be read.</param>
/// <param name="Error">Null, or why it could not be read.</param>
public readonly record struct PaperItem(string File, int Line, JsonElement Value, string? Error);
