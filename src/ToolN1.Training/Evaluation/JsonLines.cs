using System.IO.Compression;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation;

/// <summary>Files with one JSON value a line, plain or gzipped (<c>.gz</c>).</summary>
internal static class JsonLines
{
    /// <summary>All values of a file; empty lines are passed over.</summary>
    /// <exception cref="InvalidDataException">A line is not JSON; the message names file and line.</exception>
    public static List<PyValue> Read(string file) => Stream(file).Select(line => line.Value).ToList();

    /// <summary>The values one by one, with their 1-based line numbers, in constant memory.</summary>
    /// <exception cref="InvalidDataException">A line is not JSON; the message names file and line.</exception>
    public static IEnumerable<(int Line, PyValue Value)> Stream(string file)
    {
        using StreamReader reader = OpenText(file);
        for (int number = 1; reader.ReadLine() is string line; number++)
        {
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }

            yield return PyJson.TryParse(line, out PyValue? value)
                ? (number, value)
                : throw new InvalidDataException($"{file}, line {number}: not JSON.");
        }
    }

    /// <summary>Opens a text file for reading, through gzip where its name ends in <c>.gz</c>.</summary>
    public static StreamReader OpenText(string file)
    {
        Stream stream = File.OpenRead(file);
        return new StreamReader(file.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(stream, CompressionMode.Decompress) : stream);
    }
}
