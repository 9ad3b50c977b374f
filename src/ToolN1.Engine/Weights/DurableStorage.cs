using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace ToolN1.Engine.Weights;

/// <summary>
/// Files and folders that survive a crash or a power cut whole: old or new, never half. On Linux and macOS contents and
/// names are flushed to disk; Windows keeps names in its own journal.
/// </summary>
public static partial class DurableStorage
{
    /// <summary>The end of names that are not finished; readers pass them by.</summary>
    public const string TemporarySuffix = ".tmp";

    private const string ReplacedSuffix = ".old" + TemporarySuffix;
    private const int CurrentFolder = -100;
    private const uint ExchangeNames = 2;

    /// <summary>Puts a finished folder in the place of another, or where none is, in one step where the file system can.</summary>
    /// <param name="temporary">The finished folder, named with <see cref="TemporarySuffix"/> on the same file system; gone afterwards.</param>
    /// <param name="folder">Its final name. What was there is removed once the new folder has its name.</param>
    /// <exception cref="IOException">The file system refuses; the old folder is then still there under one of both names.</exception>
    public static void ReplaceFolder(string temporary, string folder)
    {
        FlushTree(temporary);
        string parent = Path.GetDirectoryName(Path.GetFullPath(folder))!;
        if (!Directory.Exists(folder))
        {
            Directory.Move(temporary, folder);
            FlushNames(parent);
            return;
        }

        string old = temporary;
        if (!TryExchange(temporary, folder))
        {
            // Two steps: between them the folder has no name of its own, but both versions are whole.
            old = folder + ReplacedSuffix;
            DeleteFolder(old);
            Directory.Move(folder, old);
            Directory.Move(temporary, folder);
        }

        FlushNames(parent);
        DeleteFolder(old);
    }

    /// <summary>Makes an empty folder beside a final one; what an interrupted earlier attempt left there is removed.</summary>
    /// <returns>Its path, for <see cref="ReplaceFolder"/>.</returns>
    public static string BeginFolder(string folder)
    {
        string temporary = folder + TemporarySuffix;
        DeleteFolder(temporary);
        Directory.CreateDirectory(temporary);
        return temporary;
    }

    /// <summary>Fills a folder and puts it in its place, in one step where the file system can; what could not be filled leaves nothing.</summary>
    /// <param name="folder">Its final name.</param>
    /// <param name="fill">Writes into the empty folder that it is given.</param>
    /// <exception cref="IOException">The file system refuses; what was at the final name before is still there.</exception>
    public static void WriteFolder(string folder, Action<string> fill)
    {
        string temporary = BeginFolder(folder);
        try
        {
            fill(temporary);
            ReplaceFolder(temporary, folder);
        }
        catch
        {
            // A disk that is full needs the room; and nobody may ever come to write this folder again.
            DeleteFolder(temporary);
            throw;
        }
    }

    /// <summary>Removes what interrupted attempts have left below a folder, and gives back its name to what was being replaced. Nobody may be writing there.</summary>
    public static void Sweep(string root)
    {
        if (!Directory.Exists(root))
        {
            return;
        }

        foreach (string temporary in Directory.GetDirectories(root, "*" + TemporarySuffix, SearchOption.AllDirectories).Where(Directory.Exists))
        {
            string folder = temporary.EndsWith(ReplacedSuffix, StringComparison.Ordinal) ? temporary[..^ReplacedSuffix.Length] : temporary;
            if (folder != temporary && !Directory.Exists(folder))
            {
                Directory.Move(temporary, folder);
            }
            else
            {
                DeleteFolder(temporary);
            }
        }

        foreach (string file in Directory.GetFiles(root, "*" + TemporarySuffix, SearchOption.AllDirectories))
        {
            File.Delete(file);
        }
    }

    /// <summary>Writes a file whole: under a temporary name, flushed, then renamed over the final one.</summary>
    public static void WriteFile(string path, Action<Stream> write)
    {
        string temporary = path + TemporarySuffix;
        using (FileStream stream = new(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            write(stream);
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
        FlushNames(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Writes a text file whole, in UTF-8.</summary>
    public static void WriteText(string path, string text) => WriteFile(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));

    /// <summary>Flushes the names in a folder (a rename, a new file) to disk.</summary>
    /// <exception cref="IOException">The folder cannot be flushed.</exception>
    public static void FlushNames(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        int descriptor = Open(folder, 0);
        bool flushed = descriptor >= 0 && Flush(descriptor) == 0;
        int error = Marshal.GetLastPInvokeError();
        if (descriptor >= 0)
        {
            _ = Close(descriptor);
        }

        // EINVAL: a file system without this operation, which then has nothing to flush.
        if (!flushed && error != 22)
        {
            throw new IOException($"{folder} cannot be flushed to disk: {new Win32Exception(error).Message}");
        }
    }

    private static void FlushTree(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder))
        {
            using FileStream stream = new(file, FileMode.Open, FileAccess.ReadWrite);
            stream.Flush(flushToDisk: true);
        }

        foreach (string inner in Directory.EnumerateDirectories(folder))
        {
            FlushTree(inner);
        }

        FlushNames(folder);
    }

    private static bool TryExchange(string one, string other)
    {
        try
        {
            return OperatingSystem.IsLinux() && Rename(CurrentFolder, one, CurrentFolder, other, ExchangeNames) == 0;
        }
        catch (EntryPointNotFoundException)
        {
            // A C library without the call.
            return false;
        }
    }

    private static void DeleteFolder(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Flush(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Rename(int oldFolder, string oldPath, int newFolder, string newPath, uint flags);
}
