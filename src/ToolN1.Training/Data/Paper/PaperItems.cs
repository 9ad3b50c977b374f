using System.Runtime.CompilerServices;
using System.Text.Json;

namespace ToolN1.Training.Data.Paper;

/// <summary>Streams the items of a dataset file: a JSON array, or JSON lines. Memory does not grow with the file.</summary>
public static class PaperItems
{
    /// <summary>The items with their numbers: the line of a .jsonl file, else the place in the array, both from 1.</summary>
    /// <param name="file">A .json or .jsonl file.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="TrainingDataException">Not JSON; the message names file and line or item.</exception>
    public static async IAsyncEnumerable<(int Number, JsonElement Item)> ReadAsync(string file, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int number = 0;
        FileStream stream = File.OpenRead(file);
        await using (stream.ConfigureAwait(false))
        {
            bool lines = file.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase);
            IAsyncEnumerator<JsonElement> items = JsonSerializer.DeserializeAsyncEnumerable<JsonElement>(stream, topLevelValues: lines, cancellationToken: cancellationToken)
                .GetAsyncEnumerator(cancellationToken);
            await using (items.ConfigureAwait(false))
            {
                while (true)
                {
                    number++;
                    try
                    {
                        if (!await items.MoveNextAsync().ConfigureAwait(false))
                        {
                            yield break;
                        }
                    }
                    catch (JsonException e)
                    {
                        throw new TrainingDataException(file, number, "not JSON: " + e.Message, e);
                    }

                    yield return (number, items.Current);
                }
            }
        }
    }
}
