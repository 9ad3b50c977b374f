namespace ToolN1.Training.Tests.Evaluation;

/// <summary>A temporary folder of small benchmark files made by hand in the published formats.</summary>
internal sealed class HandMadeFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("tooln1-benchmark").FullName;

    public HandMadeFolder With(string file, params string[] lines)
    {
        string path = System.IO.Path.Combine(Path, file);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllLines(path, lines);
        return this;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
