using System.Text;

namespace ToolN1.Training.Evaluation.Harness;

/// <summary>Writes whole files: a reader, or a program started after a kill, sees the old text or the new, never a part.</summary>
internal static class AtomicFile
{
    public static void Write(string file, string text)
    {
        string temporary = file + ".tmp";
        using (FileStream stream = new(temporary, FileMode.Create, FileAccess.Write))
        {
            stream.Write(Encoding.UTF8.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, file, overwrite: true);
    }
}
