using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace ToolN1.Training.Data.Paper;

/// <summary>
/// Turns a published dataset's files into training rows, item by item in constant memory: train.jsonl, validation.jsonl,
/// and dropped.jsonl with file, line and reason of every example that is left out.
/// </summary>
public static class PaperDataset
{
    /// <summary>Reads, converts, splits and writes.</summary>
    /// <param name="files">.json or .jsonl files, in order.</param>
    /// <param name="convert">The dataset's converter.</param>
    /// <param name="folder">Where to write; made where it is not there.</param>
    /// <param name="options">Split and augmentation.</param>
    /// <param name="cancellationToken">Stops; what was written stays.</param>
    /// <exception cref="TrainingDataException">A file is not JSON; the message names file and line.</exception>
    public static async Task<PaperDatasetReport> ConvertAsync(
        IReadOnlyList<string> files, Func<JsonElement, IEnumerable<PaperRowResult>> convert, string folder, PaperDatasetOptions options, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        using StreamWriter train = Open(folder, "train.jsonl");
        using StreamWriter validation = Open(folder, "validation.jsonl");
        using StreamWriter dropped = Open(folder, "dropped.jsonl");
        SortedDictionary<string, long> categories = new(StringComparer.Ordinal);
        SortedDictionary<string, long> drops = new(StringComparer.Ordinal);
        long items = 0, training = 0, held = 0;
        foreach (string file in files)
        {
            await foreach ((int number, JsonElement item) in PaperItems.ReadAsync(file, cancellationToken).ConfigureAwait(false))
            {
                items++;
                int part = 0;
                foreach (PaperRowResult result in convert(item))
                {
                    string key = $"{Path.GetFileName(file)}:{number}:{part++}";
                    if (result.Row is not TrainingRow row)
                    {
                        drops[result.DropReason!] = drops.GetValueOrDefault(result.DropReason!) + 1;
                        dropped.WriteLine($"{{\"file\": {PythonJson.Quote(file)}, \"line\": {number}, \"reason\": {PythonJson.Quote(result.DropReason!)}}}");
                        continue;
                    }

                    // A row and its twin go to the same side of the split, or validation would be trained on.
                    bool holdOut = Chance(options.Seed, "split", key) < options.Validation;
                    Write(row, holdOut);
                    if (Chance(options.Seed, "irrelevance", key) < options.Irrelevance && WithoutCalledTools(row) is TrainingRow twin)
                    {
                        Write(twin, holdOut);
                    }
                }
            }
        }

        return new PaperDatasetReport(items, training, held, categories, drops);

        void Write(TrainingRow row, bool holdOut)
        {
            (holdOut ? validation : train).WriteLine(TrainingRowWriter.ToJson(row));
            string category = row.Category ?? "";
            categories[category] = categories.GetValueOrDefault(category) + 1;
            training += holdOut ? 0 : 1;
            held += holdOut ? 1 : 0;
        }
    }

    private static TrainingRow? WithoutCalledTools(TrainingRow row)
    {
        HashSet<string> called = row.Answer.Select(call => call.Name).ToHashSet(StringComparer.Ordinal);
        List<Engine.Chat.ChatTool> rest = row.Tools.Where(tool => !called.Contains(tool.Name)).ToList();
        return called.Count == 0 || rest.Count == 0 ? null : row with { Tools = rest, Answer = [], Category = row.Category + "-irrelevance" };
    }

    /// <summary>A number in [0, 1) that depends on its arguments only.</summary>
    private static double Chance(long seed, string purpose, string key)
    {
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}\n{purpose}\n{key}"));
        return (BinaryPrimitives.ReadUInt64LittleEndian(hash) >> 11) / (double)(1L << 53);
    }

    private static StreamWriter Open(string folder, string name) =>
        new(Path.Combine(folder, name), append: false, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { NewLine = "\n" };
}
