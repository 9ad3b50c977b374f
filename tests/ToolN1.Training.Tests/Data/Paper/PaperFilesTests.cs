using Parquet;
using Parquet.Schema;
using ToolN1.Training.Data;
using ToolN1.Training.Data.Paper;
using ToolN1.Training.Tests.Evaluation;

namespace ToolN1.Training.Tests.Data.Paper;

public sealed class PaperFilesTests
{
    private static async Task<List<PaperItem>> ReadAsync(string file) =>
        await PaperFiles.ReadAsync(file, TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);

    [Fact]
    public async Task Read_JsonArray_GivesItemsWithTheirLinesAndGoesOnAfterABrokenOne()
    {
        using HandMadeFolder folder = new HandMadeFolder().With("a.json", "[", """{"q": "a ] , \" [ b"}, {"q":""", """[1, {"x": "}"}]},""", "{oops},", """  "text" """, "]");

        List<PaperItem> items = await ReadAsync(Path.Combine(folder.Path, "a.json"));

        Assert.Equal([2, 2, 4, 5], items.Select(item => item.Line));
        Assert.Equal("a ] , \" [ b", items[0].Value.GetProperty("q").GetString());
        Assert.Equal("}", items[1].Value.GetProperty("q")[1].GetProperty("x").GetString());
        Assert.StartsWith("not JSON", items[2].Error, StringComparison.Ordinal);
        Assert.Equal("text", items[3].Value.GetString());
    }

    [Fact]
    public async Task Read_Lines_PassesOverEmptyOnesAndNamesBrokenOnes()
    {
        using HandMadeFolder folder = new HandMadeFolder().With("a.jsonl", "{}", "", """{"a": 1, "a": 2}""", "[]");

        List<PaperItem> items = await ReadAsync(Path.Combine(folder.Path, "a.jsonl"));

        Assert.Equal([(1, true), (3, false), (4, true)], items.Select(item => (item.Line, item.Error is null)));
    }

    [Theory]
    [InlineData("""{"q": 1}""", 1, "array")]
    [InlineData("""[{"q": 1}""", 2, "within the item that begins at line 1")]
    [InlineData("[1,\n", 3, "the array has no end")]
    [InlineData("[{\"q\": 1},\n{\"q\": \"", 3, "within the item that begins at line 2")]
    [InlineData("[1] 2", 1, "after the array")]
    public async Task Read_FileThatIsNoArray_NamesFileAndLine(string text, int line, string reason)
    {
        using HandMadeFolder folder = new HandMadeFolder().With("a.json", text);
        string file = Path.Combine(folder.Path, "a.json");
        TrainingDataException error = await Assert.ThrowsAsync<TrainingDataException>(() => ReadAsync(file));

        Assert.Equal((file, line), (error.File, error.Line));
        Assert.Contains(reason, error.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_Parquet_GivesTextAndListsOfStructsOfEveryRowGroup()
    {
        using HandMadeFolder folder = new();
        string file = Path.Combine(folder.Path, "toolace.parquet");
        await WriteParquetAsync(file);

        List<PaperItem> items = await ReadAsync(file);

        Assert.Equal([1, 2, 3, 4, 5, 6], items.Select(item => item.Line));
        Assert.Equal(
            """{"system":"s0","conversations":[{"from":"user","value":"Grüß"},{"from":"assistant","value":"[f()]"}]}""", Text(items[0]));
        Assert.Equal("""{"system":null,"conversations":[]}""", Text(items[1]));
        Assert.Equal("""{"system":"s2","conversations":[{"from":"user","value":null}]}""", Text(items[2]));
        Assert.Equal(Text(items[0]), Text(items[3]));

        static string Text(PaperItem item) => System.Text.RegularExpressions.Regex.Unescape(item.Value.GetRawText());
    }

    [Fact]
    public async Task Read_DamagedParquetOrUnknownKind_NamesTheFile()
    {
        using HandMadeFolder folder = new HandMadeFolder().With("a.parquet", "PAR1 oops").With("a.csv", "a,b");

        foreach (string file in (string[])["a.parquet", "a.csv"])
        {
            TrainingDataException error = await Assert.ThrowsAsync<TrainingDataException>(() => ReadAsync(Path.Combine(folder.Path, file)));
            Assert.EndsWith(file, error.File, StringComparison.Ordinal);
        }
    }

    private static readonly int[] Repetitions = [0, 1, 0, 0];

    private static async Task WriteParquetAsync(string file)
    {
        ParquetSchema schema = new(
            new DataField<string>("system"), new ListField("conversations", new StructField("element", new DataField<string>("from"), new DataField<string>("value"))), new DataField<long>("id"));
        await using FileStream stream = File.Create(file);
        await using ParquetWriter writer = await ParquetWriter.CreateAsync(schema, stream);
        DataField[] columns = schema.DataFields;
        for (int group = 0; group < 2; group++)
        {
            // Rows: two turns; an empty list without a system text; one turn without a value.
            using ParquetRowGroupWriter rows = writer.CreateRowGroup();
            await rows.WriteAsync(columns[0], ["s0", null!, "s2"]);
            int whole = columns[1].MaxDefinitionLevel;
            await rows.WriteAllPartsAsync<ReadOnlyMemory<char>>(columns[1], Texts("user", "assistant", "user"), new[] { whole, whole, 1, whole }, Repetitions, TestContext.Current.CancellationToken);
            await rows.WriteAllPartsAsync<ReadOnlyMemory<char>>(columns[2], Texts("Grüß", "[f()]"), new[] { whole, whole, 1, whole - 1 }, Repetitions, TestContext.Current.CancellationToken);
            await rows.WriteAsync<long>(columns[3], new long[] { 1, 2, 3 });
        }
    }

    private static ReadOnlyMemory<ReadOnlyMemory<char>> Texts(params string[] texts) => texts.Select(text => text.AsMemory()).ToArray();
}
