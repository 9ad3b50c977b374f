using ToolN1.Engine.Weights;
using ToolN1.Training.Checkpoints;

namespace ToolN1.Training.Jobs.Storage;

/// <summary>
/// Folders that appear whole or not at all, and stay: written under a temporary name, given a <see cref="Manifest"/>, flushed
/// to disk, renamed, and the rename flushed too.
/// </summary>
internal static class DurableFolder
{
    /// <summary>Makes the empty temporary folder of a path.</summary>
    public static string Begin(string path) => DurableStorage.BeginFolder(path);

    /// <summary>Fills a folder, and gives it its manifest and its name; what could not be filled leaves nothing.</summary>
    /// <param name="path">Its name.</param>
    /// <param name="fill">Writes into the empty folder that it is given.</param>
    public static void Write(string path, Action<string> fill) => DurableStorage.WriteFolder(path, temporary =>
    {
        fill(temporary);
        Manifest.Write(temporary);
    });

    /// <summary>Gives a filled folder its manifest and its name; what had the name before is replaced.</summary>
    public static void Commit(string temporary, string path)
    {
        Manifest.Write(temporary);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        DurableStorage.ReplaceFolder(temporary, path);
    }
}
