namespace ToolN1.Engine.Hosting;

/// <summary>Finds the folder that <see cref="ModelOptions.Path"/> names.</summary>
internal static class ModelFolder
{
    /// <summary>The model that ships with the program, beside it.</summary>
    public const string Embedded = "models/tool-n1-nano";

    /// <summary>Resolves a path.</summary>
    /// <param name="path">The option; null for the embedded model.</param>
    /// <param name="workingDirectory">Looked in first when the path is relative.</param>
    /// <param name="programDirectory">Looked in next; home of the embedded model.</param>
    /// <returns>A full path without a trailing separator.</returns>
    /// <exception cref="DirectoryNotFoundException">Names every place that was looked in.</exception>
    public static string Resolve(string? path, string workingDirectory, string programDirectory)
    {
        string[] candidates = path is null
            ? [Path.Combine(programDirectory, Embedded)]
            : [.. new[] { Path.GetFullPath(path, workingDirectory), Path.GetFullPath(path, programDirectory) }.Distinct()];
        string? found = candidates.FirstOrDefault(Directory.Exists);
        return found is not null
            ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(found))
            : throw new DirectoryNotFoundException(
                $"{ModelOptions.SectionName}:Path: no model folder at {string.Join(" or ", candidates)}.");
    }
}
