using System.Runtime.CompilerServices;
using System.Text.Json;

namespace ToolN1.Training.Data.Paper;

/// <summary>Streams the items of datasets' files: <c>.json</c> (one array), <c>.jsonl</c> or <c>.parquet</c>. Memory does not grow with the file.</summary>
public static class PaperFiles
{
    /// <summary>The items in order. One that is not JSON is an item with an error; only a file that cannot be followed further ends the reading.</summary>
    /// <param name="file">The file.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="TrainingDataException">No such kind of file, or it breaks off; the message names file, line and reason.</exception>
    public static IAsyncEnumerable<PaperItem> ReadAsync(string file, CancellationToken cancellationToken) => Path.GetExtension(file).ToLowerInvariant() switch
    {
        ".json" => ReadArrayAsync(file, cancellationToken),
        ".jsonl" => ReadLinesAsync(file, cancellationToken),
        ".parquet" => ParquetItems.ReadAsync(file, cancellationToken),
        _ => throw new TrainingDataException(file, 0, "the name ends neither in .json nor in .jsonl nor in .parquet"),
    };

    private static async IAsyncEnumerable<PaperItem> ReadLinesAsync(string file, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int number = 0;
        await foreach (string line in File.ReadLinesAsync(file, cancellationToken).ConfigureAwait(false))
        {
            number++;
            if (!string.IsNullOrWhiteSpace(line))
            {
                yield return Parse(file, number, line.AsMemory());
            }
        }
    }

    private static async IAsyncEnumerable<PaperItem> ReadArrayAsync(string file, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using StreamReader text = new(file);
        JsonArrayScanner scanner = new(text, file);
        while (await scanner.NextAsync(cancellationToken).ConfigureAwait(false) is (int line, string item))
        {
            yield return Parse(file, line, item.AsMemory());
        }
    }

    private static PaperItem Parse(string file, int line, ReadOnlyMemory<char> text)
    {
        try
        {
            return new PaperItem(file, line, PaperJson.Parse(text), null);
        }
        catch (JsonException e)
        {
            return new PaperItem(file, line, default, $"not JSON ({e.Message})");
        }
    }
}
