using System.Globalization;
using System.Text;
using ToolN1.Engine.Chat;
using ToolN1.Training.Data.Synthetic;

namespace ToolN1.Training.Data.Paper;

/// <summary>
/// Turns a published dataset's files into training rows, item by item in constant memory: train.jsonl, validation.jsonl,
/// dropped.jsonl with file, line and reason of every example that is left out, and contaminated.jsonl with the question that
/// a row shares text with. The files appear under their names when all are complete.
/// </summary>
public sealed class PaperDataset : IDisposable
{
    private const string Partial = ".partial";
    private const int LongestDetail = 300;
    private static readonly string[] Names = ["train.jsonl", "validation.jsonl", "dropped.jsonl", "contaminated.jsonl"];

    private readonly string _folder;
    private readonly PaperDatasetOptions _options;
    private readonly StreamWriter[] _writers;
    private readonly NearDuplicates? _duplicates;
    private readonly PublishedDraw? _draw;
    private readonly PaperDatasetReport _report = new();

    private PaperDataset(string folder, PaperDatasetOptions options, PublishedDraw? draw)
    {
        _folder = folder;
        _draw = draw;
        _options = options;
        _duplicates = options.NearDuplicates is double threshold ? new NearDuplicates(threshold) : null;
        Directory.CreateDirectory(folder);
        _writers = [.. Names.Select(name => new StreamWriter(Path.Combine(folder, name + Partial), append: false, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { NewLine = "\n" })];
    }

    private StreamWriter Dropped => _writers[2];

    private StreamWriter Contaminated => _writers[3];

    /// <summary>Reads, converts, filters, augments, splits and writes.</summary>
    /// <param name="files">The dataset's files, in order.</param>
    /// <param name="converter">The dataset's converter.</param>
    /// <param name="folder">Where to write; made where it is not there.</param>
    /// <param name="options">Filters, augmentation and split.</param>
    /// <param name="cancellationToken">Stops; an earlier call's files stay as they were.</param>
    /// <exception cref="TrainingDataException">A file cannot be followed to its end; the message names file, line and reason.</exception>
    public static async Task<PaperDatasetReport> ConvertAsync(
        IReadOnlyList<string> files, IPaperConverter converter, string folder, PaperDatasetOptions options, CancellationToken cancellationToken)
    {
        PublishedDraw? draw = options.PublishedCounts
            ? new PublishedDraw(options, await CountAsync(files, converter, options, cancellationToken).ConfigureAwait(false))
            : null;
        using PaperDataset dataset = new(folder, options, draw);
        foreach (string file in files)
        {
            await foreach (PaperItem item in PaperFiles.ReadAsync(file, cancellationToken).ConfigureAwait(false))
            {
                dataset.Add(item, converter);
            }
        }

        dataset.Publish();
        return dataset._report;
    }

    /// <summary>For every row that will be kept, in order, whether it can have a twin: what exact counts need to know beforehand, a byte a row.</summary>
    private static async Task<List<bool>> CountAsync(
        IReadOnlyList<string> files, IPaperConverter converter, PaperDatasetOptions options, CancellationToken cancellationToken)
    {
        NearDuplicates? duplicates = options.NearDuplicates is double threshold ? new NearDuplicates(threshold) : null;
        List<bool> rows = [];
        foreach (string file in files)
        {
            await foreach (PaperItem item in PaperFiles.ReadAsync(file, cancellationToken).ConfigureAwait(false))
            {
                if (item.Error is not null)
                {
                    continue;
                }

                try
                {
                    // The kind may be what cannot be read: then the item has no row.
                    converter.KindOf(item.Value);
                    foreach (PaperExample example in converter.Convert(item.Value))
                    {
                        if (example.Row is TrainingRow row && options.Questions?.Find(row) is null && duplicates?.Contains(row) != true)
                        {
                            rows.Add(NoCallTwin.Of(row) is not null);
                        }
                    }
                }
                catch (InvalidOperationException e) when (e is not ObjectDisposedException)
                {
                    // A text with half of a surrogate pair: what of the item came before it is kept, as below.
                }
            }
        }

        return rows;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (StreamWriter writer in _writers)
        {
            writer.Dispose();
        }

        foreach (string name in Names)
        {
            File.Delete(Path.Combine(_folder, name + Partial));
        }
    }

    private void Publish()
    {
        foreach ((StreamWriter writer, string name) in _writers.Zip(Names))
        {
            writer.Dispose();
            File.Move(Path.Combine(_folder, name + Partial), Path.Combine(_folder, name), overwrite: true);
        }
    }

    private void Add(PaperItem item, IPaperConverter converter)
    {
        if (item.Error is not null)
        {
            Drop(item, DropReasons.Unreadable, item.Error);
            return;
        }

        try
        {
            _report.CountItem(converter.KindOf(item.Value));
            string place = $"{Path.GetFileName(item.File)}:{item.Line}";
            int part = 0;
            foreach (PaperExample example in converter.Convert(item.Value))
            {
                Add(item, example, place, $"{place}:{part++}");
            }
        }
        catch (InvalidOperationException e) when (e is not ObjectDisposedException)
        {
            // JSON may escape half of a surrogate pair; no text can hold it.
            Drop(item, DropReasons.BadText, null);
        }
    }

    private void Add(PaperItem item, PaperExample example, string itemKey, string rowKey)
    {
        // 1. What is left out.
        if (example.Row is not TrainingRow row)
        {
            Drop(item, example.DropReason!, example.Detail);
            return;
        }

        if (_options.Questions?.Find(row) is (string benchmark, string category, string id, string shared))
        {
            _report.CountContaminated($"{benchmark} {category}");
            Contaminated.WriteLine($"{{{Place(item)}, \"benchmark\": {PythonJson.Quote(benchmark)}, \"category\": {PythonJson.Quote(category)}, \"id\": {PythonJson.Quote(id)}, \"shared\": {PythonJson.Quote(shared)}}}");
            Drop(item, DropReasons.Contaminated, $"{benchmark} {id}");
            return;
        }

        if (_duplicates?.Contains(row) == true)
        {
            Drop(item, DropReasons.NearDuplicate, null);
            return;
        }

        if (example.PublishedReadsOtherwise)
        {
            _report.CountPublishedReadsOtherwise();
        }

        // 2. As published: exact counts, each row by itself.
        if (_draw is not null)
        {
            bool twinned = _draw.DrawTwin();
            Write(item, row, _draw.DrawSide(), rowKey);
            if (twinned && NoCallTwin.Of(row) is TrainingRow published)
            {
                Write(item, published, _draw.DrawSide(), rowKey + ":twin");
            }

            return;
        }

        // 3. A row and its twin go to the same side of the split, or validation would be trained on.
        bool validation = Random("split", itemKey).Chance(_options.Validation);
        row = _options.Irrelevance > 0 ? NoCallTwin.Instruct(row) : row;
        Write(item, row, validation, rowKey);
        if (Random("irrelevance", rowKey).Chance(_options.Irrelevance) && NoCallTwin.Of(row) is TrainingRow twin)
        {
            Write(item, twin, validation, rowKey + ":twin");
        }
    }

    /// <summary>Writes a row; where it is on no side of the split, it is counted and told of.</summary>
    private void Write(PaperItem item, TrainingRow row, bool? validation, string key)
    {
        SeededRandom random = Random("mask", key);
        bool masked = random.Chance(_options.Masking);
        _report.CountRow(row.Category ?? "", validation, masked && validation is not null);
        if (validation is bool held)
        {
            _writers[held ? 1 : 0].WriteLine(TrainingRowWriter.ToJson(masked ? FunctionMask.Apply(row, random) : row));
        }
        else
        {
            Drop(item, DropReasons.LeftOver, null);
        }
    }

    private void Drop(PaperItem item, string reason, string? detail)
    {
        _report.CountDrop(reason);
        string shortened = detail is { Length: > LongestDetail } ? detail[..LongestDetail] + "…" : detail ?? "";
        Dropped.WriteLine($"{{{Place(item)}, \"reason\": {PythonJson.Quote(reason)}{(detail is null ? "" : ", \"detail\": " + PythonJson.Quote(shortened))}}}");
    }

    private static string Place(PaperItem item) => $"\"file\": {PythonJson.Quote(item.File)}, \"line\": {item.Line.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>A generator that depends on the seed, the purpose and the row's place only.</summary>
    private SeededRandom Random(string purpose, string key) => new(SeededRandom.Hash($"{_options.Seed}\n{purpose}\n{key}"));
}
