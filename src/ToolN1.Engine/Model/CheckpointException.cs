namespace ToolN1.Engine.Model;

/// <summary>
/// A checkpoint folder that cannot be used: a file is absent, damaged, or asks for something that is not supported. The
/// message begins with the file and names the field or tensor. Nothing else is thrown for what a file holds.
/// </summary>
public sealed class CheckpointException : Exception
{
    /// <summary>Creates the exception; the message becomes "<paramref name="file"/>: <paramref name="problem"/>".</summary>
    /// <param name="file">Path of the file (or folder) at fault.</param>
    /// <param name="problem">What is wrong, naming the field or tensor.</param>
    /// <param name="inner">The cause, if another exception told it.</param>
    public CheckpointException(string file, string problem, Exception? inner = null)
        : base($"{file}: {problem}", inner) => File = file;

    /// <summary>Path of the file at fault.</summary>
    public string File { get; }
}
