using System.Text.Json;
using ToolN1.Training.Data;
using ToolN1.Training.Data.Paper;
using ToolN1.Training.Data.Synthetic;
using ToolN1.Training.Tests.Evaluation;

namespace ToolN1.Training.Tests.Data.Paper;

public sealed class PaperDatasetTests
{
    private static readonly string[] RowFiles = ["train.jsonl", "validation.jsonl"];

    private const string Tools = """[{"name": "add", "description": "Adds.", "parameters": {"a": {"type": "int", "description": "Start, 7 if absent.", "default": 7}}}, {"name": "sub", "parameters": {}}]""";

    private static string Item(string query, string number = "1.0") => JsonSerializer.Serialize(
        new { query, tools = Tools, answers = "[{\"name\": \"add\", \"arguments\": {\"a\": " + number + "}}]" });

    private static Task<PaperDatasetReport> ConvertAsync(HandMadeFolder folder, PaperDatasetOptions options, params string[] files) => PaperDataset.ConvertAsync(
        [.. files.Select(file => Path.Combine(folder.Path, file))], new XlamConverter(), Path.Combine(folder.Path, "out"), options, TestContext.Current.CancellationToken);

    private static string[] Lines(HandMadeFolder folder, string file) => File.ReadAllLines(Path.Combine(folder.Path, "out", file));

    [Fact]
    public async Task Convert_Files_SplitsAugmentsAndNamesWhatIsLeftOut()
    {
        using HandMadeFolder folder = new HandMadeFolder()
            .With("a.json", "[" + string.Join(",\n", Enumerable.Range(0, 40).Select(i => Item($"Add {i}."))) + "]")
            .With("b.jsonl", Item("Add."), """{"query": "Add.", "tools": "[", "answers": "[]"}""", "{oops", """{"query": "\ud800", "tools": [], "answers": []}""");
        PaperDatasetOptions options = new() { Validation = 0.25, Irrelevance = 1, Seed = 3 };

        PaperDatasetReport report = await ConvertAsync(folder, options, "a.json", "b.jsonl");

        Assert.Equal(43, report.Items["xlam"]);
        Assert.Equal(82, report.Training + report.Validation);
        Assert.InRange(report.Validation, 2, 50);
        Assert.Equal((41, 41), (report.Rows["xlam"], report.Rows["xlam-irrelevance"]));
        Assert.Equal(3, report.Dropped.Values.Sum());
        Assert.Contains("| xLAM, single turn | 43 | 41 | 60000 | 60000 |", report.Table(), StringComparison.Ordinal);
        List<(string File, int Line, string Reason)> dropped = Lines(folder, "dropped.jsonl").Select(line => JsonDocument.Parse(line).RootElement)
            .Select(line => (line.GetProperty("file").GetString()!, line.GetProperty("line").GetInt32(), line.GetProperty("reason").GetString()!)).ToList();
        Assert.All(dropped, drop => Assert.EndsWith("b.jsonl", drop.File, StringComparison.Ordinal));
        Assert.Equal(
            [(2, "fields are missing or not of their kind"), (3, "the item cannot be read"), (4, "a text holds half of a surrogate pair")],
            dropped.Select(drop => (drop.Line, drop.Reason)));
        List<TrainingRow> rows = TrainingRowReader.Read(Path.Combine(folder.Path, "out", "train.jsonl")).ToList();
        Assert.Equal(report.Training, rows.Count);
        Assert.All(rows, row => Assert.Equal(row.Category == "xlam" ? """[{"name": "add", "arguments": {"a": 1.0}}]""" : "[]", row.AnswerJson));
        Assert.All(rows, row => Assert.Contains("<tool_call>[]</tool_call>", row.System, StringComparison.Ordinal));

        // A row and its twin lie on the same side.
        HashSet<string> trained = rows.Select(row => row.Messages[0].Content!).ToHashSet();
        List<TrainingRow> held = TrainingRowReader.Read(Path.Combine(folder.Path, "out", "validation.jsonl")).ToList();
        Assert.DoesNotContain(held, row => trained.Contains(row.Messages[0].Content!));
        string[] before = Lines(folder, "validation.jsonl");
        await ConvertAsync(folder, options, "a.json", "b.jsonl");
        Assert.Equal(before, Lines(folder, "validation.jsonl"));
        await ConvertAsync(folder, options with { Seed = 4 }, "a.json", "b.jsonl");
        Assert.NotEqual(before, Lines(folder, "validation.jsonl"));
    }

    [Fact]
    public async Task Convert_PublishedDraw_SplitsAndAugmentsInExactCountsWithoutAnInstruction()
    {
        using HandMadeFolder folder = new HandMadeFolder().With("a.jsonl", [.. Enumerable.Range(0, 53).Select(i => Item($"Add {i}."))]);
        PaperDatasetOptions options = new() { Validation = 0.1, PublishedCounts = true, Seed = 3 };

        // 1. int(0.9 · 53) and int(0.1 · 53): one row is on neither side, as of the paper's 69,653.
        PaperDatasetReport report = await ConvertAsync(folder, options, "a.jsonl");

        Assert.Equal((47, 5), (report.Training, report.Validation));
        Assert.Equal(53, report.Rows["xlam"]);
        Assert.Equal(("left over by the published split's roundings", 1), report.Dropped.Select(drop => (drop.Key, drop.Value)).Single());
        Assert.Single(Lines(folder, "dropped.jsonl"));
        Assert.Equal(52, Rows(folder).Select(row => row.Messages[0].Content).Distinct().Count());
        Assert.All(Rows(folder), row => Assert.Null(row.System));
        string[] before = Lines(folder, "validation.jsonl");
        await ConvertAsync(folder, options, "a.jsonl");
        Assert.Equal(before, Lines(folder, "validation.jsonl"));
        await ConvertAsync(folder, options with { Seed = 4 }, "a.jsonl");
        Assert.NotEqual(before, Lines(folder, "validation.jsonl"));

        // 2. int(0.15 · 53) twins, none twice, split like any other row: int(0.9 · 60) and int(0.1 · 60).
        report = await ConvertAsync(folder, options with { Irrelevance = 0.15 }, "a.jsonl");

        Assert.Equal((53, 7), (report.Rows["xlam"], report.Rows["xlam-irrelevance"]));
        Assert.Equal((54, 6), (report.Training, report.Validation));
        Assert.Equal(7, Rows(folder).Where(row => row.Answer.Count == 0).Select(row => row.Messages[0].Content).Distinct().Count());
        Assert.All(Rows(folder), row => Assert.Null(row.System));
    }

    [Fact]
    public async Task Convert_PublishedDraw_CountsOnlyTwinsThatHaveToolsLeft()
    {
        string only = JsonSerializer.Serialize(new { query = "Add.", tools = """[{"name": "add", "parameters": {}}]""", answers = """[{"name": "add", "arguments": {}}]""" });
        using HandMadeFolder folder = new HandMadeFolder().With("a.jsonl", [.. Enumerable.Repeat(only, 10), .. Enumerable.Range(0, 10).Select(i => Item($"Add {i}."))]);

        PaperDatasetReport report = await ConvertAsync(folder, new PaperDatasetOptions { Validation = 0.5, Irrelevance = 1, PublishedCounts = true }, "a.jsonl");

        Assert.Equal((20, 10), (report.Rows["xlam"], report.Rows["xlam-irrelevance"]));
        Assert.Equal((15, 15), (report.Training, report.Validation));
    }

    [Fact]
    public void PublishedDraw_ThePapersRows_SplitsAsThePaperDid()
    {
        PublishedDraw draw = new(new PaperDatasetOptions { Validation = 0.1 }, new bool[69_653]);

        List<bool?> sides = [.. Enumerable.Range(0, 69_653).Select(_ => draw.DrawSide())];

        Assert.Equal((62_687, 6_965, 1), (sides.Count(side => side == false), sides.Count(side => side == true), sides.Count(side => side is null)));

        // Each place is as likely as any: the first and the last tenth hold a tenth of those held out, give or take four deviations.
        Assert.InRange(sides.Take(6_965).Count(side => side == true), 597, 797);
        Assert.InRange(sides.TakeLast(6_965).Count(side => side == true), 597, 797);
    }

    [Fact]
    public async Task ToJson_OfAReport_HasThePapersTableAsAnArray()
    {
        using HandMadeFolder folder = new HandMadeFolder().With("a.jsonl", Item("Add."), "{oops");

        using JsonDocument report = JsonDocument.Parse((await ConvertAsync(folder, new PaperDatasetOptions(), "a.jsonl")).ToJson());

        Assert.Equal(
            """[{"kind":"xlam","data":"xLAM, single turn","items":1,"rows":1,"paper_items":60000,"paper_rows":60000}]""",
            JsonSerializer.Serialize(report.RootElement.GetProperty("table1")));
        Assert.Equal(1, report.RootElement.GetProperty("dropped").GetProperty("the item cannot be read").GetInt64());
        Assert.Equal(1, report.RootElement.GetProperty("training").GetInt64());
    }

    private static List<TrainingRow> Rows(HandMadeFolder folder) =>
        [.. RowFiles.SelectMany(file => TrainingRowReader.Read(Path.Combine(folder.Path, "out", file)))];

    [Fact]
    public async Task Convert_FileThatBreaksOff_LeavesAnEarlierResultAsItWas()
    {
        using HandMadeFolder folder = new HandMadeFolder().With("a.json", "[" + Item("Add.") + "]").With("b.json", "[" + Item("Add.") + ", {");
        await ConvertAsync(folder, new PaperDatasetOptions(), "a.json");
        string[] before = Lines(folder, "train.jsonl");

        await Assert.ThrowsAsync<TrainingDataException>(() => ConvertAsync(folder, new PaperDatasetOptions(), "a.json", "b.json"));

        Assert.Equal(before, Lines(folder, "train.jsonl"));
        Assert.Empty(Directory.GetFiles(Path.Combine(folder.Path, "out"), "*.partial"));
    }

    [Fact]
    public async Task Convert_NearDuplicates_AreLeftOut()
    {
        using HandMadeFolder folder = new HandMadeFolder().With(
            "a.jsonl",
            Item("Please add the number of ships that came into the harbour of Brest on Monday to the running total"),
            Item("please, add the number of ships that came into the harbour of Brest on Monday to the running total!"),
            Item("How many lighthouses are there between Brest and Lorient, islands included, and who keeps them?"));

        PaperDatasetReport report = await ConvertAsync(folder, new PaperDatasetOptions { NearDuplicates = 0.8 }, "a.jsonl");

        Assert.Equal(2, report.Rows["xlam"]);
        Assert.Contains("\"line\": 2, \"reason\": \"nearly the same as an earlier row\"", Assert.Single(Lines(folder, "dropped.jsonl")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Convert_TextOfABenchmarksQuestion_IsLeftOutAndReported()
    {
        using HandMadeFolder folder = new HandMadeFolder()
            .With("bfcl/questions/BFCL_v3_multiple.json", Question("m_0", "Find the tide table of Brest for the first Monday in May."), Question("m_1", "Tides today?"))
            .With("bfcl/possible_answers/BFCL_v3_multiple.json", """{"id": "m_0", "ground_truth": [{"tide": {}}]}""", """{"id": "m_1", "ground_truth": [{"tide": {}}]}""")
            .With("a.jsonl", Item("I need the TIDE table of Brest, for the first Monday in June"), Item("tides today"), Item("Tides today and tomorrow"));
        BenchmarkQuestions questions = new(run: 6);
        questions.Add("bfcl", Path.Combine(folder.Path, "bfcl"));

        PaperDatasetReport report = await ConvertAsync(folder, new PaperDatasetOptions { Questions = questions }, "a.jsonl");

        Assert.Equal(1, report.Rows["xlam"]);
        Assert.Equal(2, report.Contaminated["bfcl multiple"]);
        string[] found = Lines(folder, "contaminated.jsonl");
        Assert.Contains("\"line\": 1, \"benchmark\": \"bfcl\", \"category\": \"multiple\", \"id\": \"m_0\", \"shared\": \"the tide table of brest for\"", found[0], StringComparison.Ordinal);
        Assert.Contains("\"id\": \"m_1\", \"shared\": \"tides today\"", found[1], StringComparison.Ordinal);

        static string Question(string id, string text) =>
            $$$"""{"id": "{{{id}}}", "question": [[{"role": "user", "content": "{{{text}}}"}]], "function": [{"name": "tide", "description": "T.", "parameters": {"type": "dict", "properties": {}, "required": []}}]}""";
    }

    [Theory]
    [InlineData("api-bank")]
    [InlineData("acebench")]
    public async Task Decontamination_ShortQuestionInsideAHarnessText_IsFoundByWhatTheUserSays(string benchmark)
    {
        // The harness writes labels, a year or a heading around these questions, which no training row has.
        using HandMadeFolder questions = benchmark == "api-bank"
            ? BenchmarkFolders.ApiBank("Get my token.\\nAI: Which user?\\nUser: Foo!")
            : BenchmarkFolders.AceBench("user: Get my token.\\nsystem: Which user?\\nuser: Foo!\\n");
        using HandMadeFolder folder = new HandMadeFolder().With("a.jsonl", Item("get my token: foo"), Item("get my tokens: foo"));
        BenchmarkQuestions held = new(run: 8);
        held.Add(benchmark, questions.Path);

        PaperDatasetReport report = await ConvertAsync(folder, new PaperDatasetOptions { Questions = held }, "a.jsonl");

        Assert.Equal(1, report.Rows["xlam"]);
        Assert.Equal(1, report.Contaminated.Values.Sum());
        Assert.Contains("\"line\": 1,", Assert.Single(Lines(folder, "contaminated.jsonl")), StringComparison.Ordinal);
    }

    [Fact]
    public void Mask_FlatParameters_RenamesEverywhereAndMovesDefaults()
    {
        TrainingRow row = Row(Item("Add 7 to 17.", "7"));

        TrainingRow masked = FunctionMask.Apply(row, new SeededRandom(1));

        Assert.Equal(2, masked.Tools.Count);
        TrainingCall call = Assert.Single(masked.Answer);
        JsonElement tool = JsonDocument.Parse(masked.Tools.Single(tool => tool.Name == call.Name).FunctionJson).RootElement;
        Assert.Matches("^[A-Za-z0-9_.]{5,15}$", call.Name);
        Assert.Equal(call.Name, tool.GetProperty("name").GetString());
        JsonProperty argument = Assert.Single(JsonDocument.Parse(call.ArgumentsJson).RootElement.EnumerateObject());
        Assert.Matches("^[A-Za-z0-9_.]{4,10}$", argument.Name);
        JsonElement parameter = tool.GetProperty("parameters").GetProperty(argument.Name);
        int value = argument.Value.GetInt32();
        Assert.InRange(value, 8, 11);
        Assert.Equal(value, parameter.GetProperty("default").GetInt32());
        Assert.Equal($"Start, {value} if absent.", parameter.GetProperty("description").GetString());
        Assert.Equal($"Add {value} to 17.", masked.Messages[0].Content);
        Assert.Equal(masked, FunctionMask.Apply(row, new SeededRandom(1)) with { Tools = masked.Tools, Messages = masked.Messages, Answer = masked.Answer });
    }

    [Fact]
    public void Mask_SchemaParametersAndPastCalls_StayConsistent()
    {
        const string System = "Here is a list of functions in JSON format that you can invoke:\n[{\"name\": \"tide\", \"parameters\": {\"type\": \"dict\", \"properties\": {\"port\": {\"type\": \"string\"}, \"type\": {\"type\": \"boolean\", \"default\": true}}, \"required\": [\"port\"]}}]. \nShould you decide";
        string item = JsonSerializer.Serialize(new
        {
            system = System,
            conversations = new[]
            {
                new { from = "user", value = "Brest?" }, new { from = "assistant", value = "[tide(port='Brest')]" }, new { from = "tool", value = "{}" },
                new { from = "user", value = "Lorient?" }, new { from = "assistant", value = "[tide(port='Lorient', type=True)]" },
            },
        });
        using JsonDocument document = JsonDocument.Parse(item);
        TrainingRow row = new ToolAceConverter().Convert(document.RootElement).Last().Row!;

        TrainingRow masked = FunctionMask.Apply(row, new SeededRandom(2));

        JsonElement parameters = JsonDocument.Parse(Assert.Single(masked.Tools).FunctionJson).RootElement.GetProperty("parameters");
        string port = parameters.GetProperty("required")[0].GetString()!;
        Assert.NotEqual("port", port);
        Assert.True(parameters.GetProperty("properties").TryGetProperty(port, out _));
        Assert.Equal("dict", parameters.GetProperty("type").GetString());
        Assert.Equal($$"""{"{{port}}": "Brest"}""", Assert.Single(masked.Messages[1].ToolCalls).Arguments);
        Assert.Equal(masked.Tools[0].Name, masked.Messages[1].ToolCalls[0].Name);

        // A flag keeps its value.
        Assert.Equal(JsonValueKind.True, JsonDocument.Parse(Assert.Single(masked.Answer).ArgumentsJson).RootElement.EnumerateObject().Last().Value.ValueKind);
    }

    private static TrainingRow Row(string item)
    {
        using JsonDocument document = JsonDocument.Parse(item);
        return Assert.Single(new XlamConverter().Convert(document.RootElement)).Row!;
    }
}
