using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ToolN1.Training.Data.Paper;

/// <summary>What a dataset's files became.</summary>
public sealed class PaperDatasetReport
{
    private static readonly (string Kind, string Name, long Raw, long Processed)[] Published =
    [
        ("xlam", "xLAM, single turn", 60_000, 60_000),
        ("toolace-single", "ToolACE, single turn", 10_500, 8_183),
        ("toolace-multi", "ToolACE, multi-turn", 800, 1_470),
    ];

    private readonly SortedDictionary<string, long> _items = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _rows = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _dropped = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _contaminated = new(StringComparer.Ordinal);

    /// <summary>Items read, by the paper's kinds.</summary>
    public IReadOnlyDictionary<string, long> Items => _items;

    /// <summary>Rows kept, by category.</summary>
    public IReadOnlyDictionary<string, long> Rows => _rows;

    /// <summary>Examples left out, by reason.</summary>
    public IReadOnlyDictionary<string, long> Dropped => _dropped;

    /// <summary>Rows left out for sharing text with a question, by benchmark and category.</summary>
    public IReadOnlyDictionary<string, long> Contaminated => _contaminated;

    /// <summary>Rows in train.jsonl.</summary>
    public long Training { get; private set; }

    /// <summary>Rows in validation.jsonl.</summary>
    public long Validation { get; private set; }

    /// <summary>Rows with masked names.</summary>
    public long Masked { get; private set; }

    /// <summary>Rows whose calls the published script reads as others than they are.</summary>
    public long PublishedReadsOtherwise { get; private set; }

    /// <summary>The paper's rows of which there is something here.</summary>
    private IEnumerable<(string Kind, string Name, long Raw, long Processed)> Present => Published.Where(row => _items.ContainsKey(row.Kind) || _rows.ContainsKey(row.Kind));

    /// <summary>Items and rows beside the paper's Table 1 (arXiv:2505.00024), as Markdown. Twins and left-out rows are in neither of the paper's columns.</summary>
    public string Table()
    {
        StringBuilder text = new("| Data | Items | Rows | Paper: items | Paper: rows |\n|---|---|---|---|---|\n");
        foreach ((string kind, string name, long raw, long processed) in Present)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {name} | {_items.GetValueOrDefault(kind)} | {_rows.GetValueOrDefault(kind)} | {raw} | {processed} |\n");
        }

        return text.ToString();
    }

    /// <summary>All counts as JSON (report.json): those by name as objects, and the rows of <see cref="Table"/> as the array <c>table1</c>.</summary>
    public string ToJson()
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("table1");
            foreach ((string kind, string name, long raw, long processed) in Present)
            {
                writer.WriteStartObject();
                writer.WriteString("kind", kind);
                writer.WriteString("data", name);
                writer.WriteNumber("items", _items.GetValueOrDefault(kind));
                writer.WriteNumber("rows", _rows.GetValueOrDefault(kind));
                writer.WriteNumber("paper_items", raw);
                writer.WriteNumber("paper_rows", processed);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            foreach ((string name, IReadOnlyDictionary<string, long> counts) in (
                (string, IReadOnlyDictionary<string, long>)[])[("items", Items), ("rows", Rows), ("dropped", Dropped), ("contaminated", Contaminated)])
            {
                writer.WriteStartObject(name);
                foreach ((string key, long count) in counts)
                {
                    writer.WriteNumber(key, count);
                }

                writer.WriteEndObject();
            }

            writer.WriteNumber("training", Training);
            writer.WriteNumber("validation", Validation);
            writer.WriteNumber("masked", Masked);
            writer.WriteNumber("published_reads_otherwise", PublishedReadsOtherwise);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    internal void CountItem(string kind) => _items[kind] = _items.GetValueOrDefault(kind) + 1;

    internal void CountDrop(string reason) => _dropped[reason] = _dropped.GetValueOrDefault(reason) + 1;

    internal void CountContaminated(string place) => _contaminated[place] = _contaminated.GetValueOrDefault(place) + 1;

    internal void CountPublishedReadsOtherwise() => PublishedReadsOtherwise++;

    internal void CountRow(string category, bool? validation, bool masked)
    {
        _rows[category] = _rows.GetValueOrDefault(category) + 1;
        Validation += validation == true ? 1 : 0;
        Training += validation == false ? 1 : 0;
        Masked += masked ? 1 : 0;
    }
}
