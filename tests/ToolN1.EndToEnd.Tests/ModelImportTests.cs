using System.Text.Json;
using ToolN1.TestSupport;
using ToolN1.Training.Data;
using ToolN1.Training.Data.Synthetic;

namespace ToolN1.EndToEnd.Tests;

/// <summary><c>tooln1 model import</c> of real folders, as verl's model merger leaves them: with a tokenizer of their own.</summary>
public sealed class ModelImportTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tooln1-import-").FullName;

    public ModelImportTests()
    {
        Assert.SkipUnless(File.Exists(Path.Combine(TestPaths.NanoModel, "config.json")), "models/tool-n1-nano is not in this checkout.");
        TrainingRow[] rows = [.. new SyntheticGenerator().HeldOut("seen", "one", 3, seed: 5)];
        foreach (string part in new[] { "a", "b" })
        {
            Directory.CreateDirectory(Path.Combine(_folder, part));
            TrainingRowWriter.Write(RowsOf(part), [rows[0] with { Tools = [], Answer = [], Reply = "Noon." }, .. rows]);
        }

        // Another tool's folder: no note of ours, and a tokenizer_config.json that says less.
        Directory.CreateDirectory(Trained);
        foreach (string file in new[] { "config.json", "generation_config.json", "model.safetensors", "tokenizer.json" })
        {
            File.Copy(Path.Combine(TestPaths.NanoModel, file), Path.Combine(Trained, file));
        }

        File.WriteAllText(Path.Combine(Trained, "tokenizer_config.json"), "{}");
    }

    private string Trained => Path.Combine(_folder, "trained");

    private string Imported => Path.Combine(_folder, "imported");

    [Fact]
    public async Task Import_FolderWithATokenizer_IsTheModelWithTheBasesTokenizerAndARecord()
    {
        (int exitCode, string output) = await ImportAsync();

        Assert.True(exitCode == 0, output);
        Assert.Contains("2 held-out rows are left out", output, StringComparison.Ordinal);
        foreach (string file in new[] { "tokenizer.json", "tokenizer_config.json", "model.safetensors" })
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(TestPaths.NanoModel, file)), File.ReadAllBytes(Path.Combine(Imported, file)));
        }

        using JsonDocument record = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Imported, "tooln1-import.json")));
        Assert.Equal([RowsOf("a"), RowsOf("b")], record.RootElement.GetProperty("held_out").EnumerateObject().Select(item => item.Name));
        Assert.Equal(6, record.RootElement.GetProperty("gate").GetProperty("cases").GetInt32());
        Assert.False(record.RootElement.GetProperty("forced").GetBoolean());
        Assert.False(Directory.Exists(Imported + ".tmp"));
    }

    [Fact]
    public async Task Import_ModelThatTheGateRefuses_LeavesNothing()
    {
        (int exitCode, string output) = await ImportAsync("--must-rise");

        Assert.True(exitCode == 2, output);
        Assert.Contains("did not rise", output, StringComparison.Ordinal);
        Assert.Equal(["a", "b", "trained"], Directory.GetFileSystemEntries(_folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string RowsOf(string part) => Path.Combine(_folder, part, "rows.jsonl");

    private Task<(int ExitCode, string Output)> ImportAsync(params string[] more) => CommandProcess.RunAsync(
        ["model", "import", "--from", Trained, "--base", TestPaths.NanoModel, "--held-out", RowsOf("a"), RowsOf("b"), "--out", Imported, .. more]);
}
