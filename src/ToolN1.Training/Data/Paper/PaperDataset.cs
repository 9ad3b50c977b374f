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
    private readonly PaperDatasetReport _report = new();

    private PaperDataset(string folder, PaperDatasetOptions options)
    {
        _folder = folder;
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
        using PaperDataset dataset = new(folder, options);
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

        // 2. A row and its twin go to the same side of the split, or validation would be trained on.
        bool validation = Random("split", _options.SplitByRow ? rowKey : itemKey).Chance(_options.Validation);
        row = _options.Irrelevance > 0 ? NoCallTwin.Instruct(row) : row;
        Write(row, validation, rowKey);
        if (Random("irrelevance", rowKey).Chance(_options.Irrelevance) && NoCallTwin.Of(row) is TrainingRow twin)
        {
            Write(twin, validation, rowKey + ":twin");
        }
    }

    private void Write(TrainingRow row, bool validation, string key)
    {
        SeededRandom random = Random("mask", key);
        bool masked = random.Chance(_options.Masking);
        _writers[validation ? 1 : 0].WriteLine(TrainingRowWriter.ToJson(masked ? FunctionMask.Apply(row, random) : row));
        _report.CountRow(row.Category ?? "", validation, masked);
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
