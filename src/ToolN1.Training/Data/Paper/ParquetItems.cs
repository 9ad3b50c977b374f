using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Parquet;
using Parquet.Data;
using Parquet.Schema;

namespace ToolN1.Training.Data.Paper;

/// <summary>
/// Rows of a parquet file as JSON items, one row group in memory at a time: columns of text, and lists of structs of text
/// (ToolACE's <c>conversations</c>). Columns of other types are not needed by any dataset here and are left out.
/// </summary>
internal static class ParquetItems
{
    private static readonly JsonWriterOptions Lenient = new() { SkipValidation = true };

    /// <summary>The rows in order.</summary>
    /// <exception cref="TrainingDataException">Not a parquet file, or damaged; the message names the file and the row that reading broke off at.</exception>
    public static async IAsyncEnumerable<PaperItem> ReadAsync(string file, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ParquetReader reader = await Guard(file, 1, ParquetReader.CreateAsync(file, cancellationToken: cancellationToken)).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            int row = 1;
            for (int group = 0; group < reader.RowGroupCount; group++)
            {
                foreach (string item in await Guard(file, row, ReadGroupAsync(reader, group, cancellationToken)).ConfigureAwait(false))
                {
                    using JsonDocument document = JsonDocument.Parse(item);
                    yield return new PaperItem(file, row++, document.RootElement.Clone(), null);
                }
            }
        }
    }

    private static async Task<T> Guard<T>(string file, int row, Task<T> reading)
    {
        try
        {
            return await reading.ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ParquetException or InvalidOperationException or InvalidDataException or NotSupportedException or ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            throw new TrainingDataException(file, row, "not a readable parquet file: " + e.Message, e);
        }
    }

    private static async Task<List<string>> ReadGroupAsync(ParquetReader reader, int group, CancellationToken cancellationToken)
    {
        using ParquetRowGroupReader rows = reader.OpenRowGroupReader(group);
        int count = checked((int)rows.RowCount);
        List<(string Name, string?[] Values)> texts = [];
        List<(string Name, List<Dictionary<string, string?>>?[] Values)> lists = [];
        foreach (Field field in reader.Schema.Fields)
        {
            switch (field)
            {
                case DataField { IsArray: false } column when IsText(column):
                    texts.Add((field.Name, await ReadTextsAsync(rows, column, count, cancellationToken).ConfigureAwait(false)));
                    break;
                case ListField { Item: StructField item } list when item.Fields.All(part => part is DataField column && IsText(column)):
                    lists.Add((field.Name, await ReadListAsync(rows, list, item, count, cancellationToken).ConfigureAwait(false)));
                    break;
                default:
                    break;
            }
        }

        return Enumerable.Range(0, count).Select(row => Write(row, texts, lists)).ToList();
    }

    private static bool IsText(DataField column) => column.ClrType == typeof(string) || column.ClrType == typeof(ReadOnlyMemory<char>);

    private static async Task<string?[]> ReadTextsAsync(ParquetRowGroupReader rows, DataField column, int count, CancellationToken cancellationToken)
    {
        using RawColumnData raw = await rows.ReadRawColumnDataBaseAsync(column, cancellationToken).ConfigureAwait(false);
        Span<ReadOnlyMemory<char>> values = ((RawColumnData<ReadOnlyMemory<char>>)raw).Values;
        string?[] texts = new string?[count];
        int next = 0;
        for (int row = 0; row < count; row++)
        {
            // Null values are not stored.
            texts[row] = column.MaxDefinitionLevel == 0 || raw.DefinitionLevels[row] == column.MaxDefinitionLevel ? values[next++].ToString() : null;
        }

        return texts;
    }

    /// <summary>Dremel's levels back into lists: repetition level 0 begins a row, and a definition level below the struct's is an empty list or none.</summary>
    private static async Task<List<Dictionary<string, string?>>?[]> ReadListAsync(
        ParquetRowGroupReader rows, ListField list, StructField item, int count, CancellationToken cancellationToken)
    {
        List<Dictionary<string, string?>>?[] lists = new List<Dictionary<string, string?>>?[count];
        foreach (DataField column in item.Fields.Cast<DataField>())
        {
            using RawColumnData raw = await rows.ReadRawColumnDataBaseAsync(column, cancellationToken).ConfigureAwait(false);
            Span<ReadOnlyMemory<char>> values = ((RawColumnData<ReadOnlyMemory<char>>)raw).Values;
            int row = -1, element = 0, next = 0;
            for (int i = 0; i < raw.RepetitionLevels.Length; i++)
            {
                if (raw.RepetitionLevels[i] == 0)
                {
                    row++;
                    element = 0;
                }

                int level = raw.DefinitionLevels[i];
                if (level >= list.MaxDefinitionLevel - 1)
                {
                    lists[row] ??= [];
                }

                if (level < item.MaxDefinitionLevel)
                {
                    continue;
                }

                if (element == lists[row]!.Count)
                {
                    lists[row]!.Add([]);
                }

                lists[row]![element++][column.Name] = level == column.MaxDefinitionLevel ? values[next++].ToString() : null;
            }
        }

        return lists;
    }

    private static string Write(int row, List<(string Name, string?[] Values)> texts, List<(string Name, List<Dictionary<string, string?>>?[] Values)> lists)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream, Lenient))
        {
            writer.WriteStartObject();
            foreach ((string name, string?[] values) in texts)
            {
                writer.WriteString(name, values[row]);
            }

            foreach ((string name, List<Dictionary<string, string?>>?[] values) in lists)
            {
                if (values[row] is not List<Dictionary<string, string?>> elements)
                {
                    writer.WriteNull(name);
                    continue;
                }

                writer.WriteStartArray(name);
                foreach (Dictionary<string, string?> element in elements)
                {
                    writer.WriteStartObject();
                    foreach ((string part, string? value) in element)
                    {
                        writer.WriteString(part, value);
                    }

                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
