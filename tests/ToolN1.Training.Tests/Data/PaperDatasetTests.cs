using System.Text.Json;
using ToolN1.Engine.Chat;
using ToolN1.Training.Data;
using ToolN1.Training.Data.Paper;
using ToolN1.Training.Tests.Evaluation;

namespace ToolN1.Training.Tests.Data;

public sealed class PaperDatasetTests
{
    private const string Tools = """[{"name": "Tide Table", "parameters": {"type": "dict", "properties": {"port": {"type": "string"}}}}, {"name": "moon", "parameters": {}}]""";

    private static string Sea(string conversations) => $$"""{"system": "You compose. Functions that you can invoke:\n{{Tools.Replace("\"", "\\\"", StringComparison.Ordinal)}}. \nShould you decide to call. Put it in the format of [f(a=b)]", "conversations": {{conversations}}}""";

    private static List<PaperRowResult> ToolAce(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return ToolAceConverter.Convert(document.RootElement.Clone()).ToList();
    }

    [Fact]
    public void ToolAce_EveryTurnOfCalls_IsOneExample()
    {
        List<PaperRowResult> results = ToolAce(Sea("""
            [{"from": "user", "value": "Tides?"}, {"from": "assistant", "value": "[Tide Table(port=\"Brest (west)\", from=2)]"},
             {"from": "tool", "value": "{}"}, {"from": "assistant", "value": "High at noon."}, {"from": "user", "value": "Moon?"},
             {"from": "assistant", "value": "[moon(), Tide Table(port='Brest', levels=[1, -2.5], flags={'a': True})]"}]
            """));

        Assert.Equal(2, results.Count);
        TrainingRow first = results[0].Row!;
        Assert.Equal("""[{"name": "Tide Table", "arguments": {"port": "Brest (west)", "from": 2}}]""", first.AnswerJson);
        Assert.Equal("toolace-single", first.Category);
        Assert.EndsWith("that you can invoke:", first.System, StringComparison.Ordinal);
        Assert.Equal(["Tide Table", "moon"], first.Tools.Select(tool => tool.Name));
        TrainingRow second = results[1].Row!;
        Assert.Equal("toolace-multi", second.Category);
        Assert.Equal([ChatRole.User, ChatRole.Assistant, ChatRole.Tool, ChatRole.Assistant, ChatRole.User], second.Messages.Select(message => message.Role));
        Assert.Equal("Tide Table", Assert.Single(second.Messages[1].ToolCalls).Name);
        Assert.Equal("""[{"name": "moon", "arguments": {}}, {"name": "Tide Table", "arguments": {"port": "Brest", "levels": [1, -2.5], "flags": {"a": true}}}]""", second.AnswerJson);
    }

    [Theory]
    [InlineData("""[{"from": "user", "value": "?"}, {"from": "assistant", "value": "[Sun(x=1)]"}]""", "a called tool is not offered")]
    [InlineData("""[{"from": "user", "value": "?"}, {"from": "assistant", "value": "[moon(x=)]"}]""", "calls that cannot be parsed")]
    [InlineData("""[{"from": "user", "value": "?"}, {"from": "assistant", "value": "Hello."}]""", "no turn of calls")]
    [InlineData("""[{"from": "ghost", "value": "?"}]""", "a turn has no known speaker or no text")]
    public void ToolAce_UnusableTurns_AreDroppedWithTheReason(string conversations, string reason) =>
        Assert.Equal(reason, Assert.Single(ToolAce(Sea(conversations))).DropReason);

    [Fact]
    public async Task Convert_XlamFiles_SplitsAugmentsAndNamesWhatIsDropped()
    {
        using HandMadeFolder folder = new();
        string good = """{"query": "Add.", "tools": "[{\"name\": \"add\", \"parameters\": {\"a\": {\"type\": \"int\"}}}, {\"name\": \"sub\"}]", "answers": "[{\"name\": \"add\", \"arguments\": {\"a\": 1.0}}]"}""";
        string bad = """{"query": "Add.", "tools": "[", "answers": "[]"}""";
        folder.With("a.json", "[" + string.Join(",\n", Enumerable.Repeat(good, 40)) + "]").With("b.jsonl", good, bad);
        PaperDatasetOptions options = new() { Validation = 0.25, Irrelevance = 1, Seed = 3 };
        string[] files = [Path.Combine(folder.Path, "a.json"), Path.Combine(folder.Path, "b.jsonl")];
        string output = Path.Combine(folder.Path, "out");

        PaperDatasetReport report = await PaperDataset.ConvertAsync(files, item => [XlamConverter.Convert(item)], output, options, TestContext.Current.CancellationToken);

        Assert.Equal(42, report.Items);
        Assert.Equal(82, report.Training + report.Validation);
        Assert.InRange(report.Validation, 2, 50);
        Assert.Equal(41, report.Categories["xlam"]);
        Assert.Equal(41, report.Categories["xlam-irrelevance"]);
        Assert.Equal(1, Assert.Single(report.Dropped).Value);
        Assert.Contains("\"line\": 2", Assert.Single(File.ReadAllLines(Path.Combine(output, "dropped.jsonl"))), StringComparison.Ordinal);
        List<TrainingRow> rows = TrainingRowReader.Read(Path.Combine(output, "train.jsonl")).ToList();
        Assert.Equal(report.Training, rows.Count);
        Assert.All(rows, row => Assert.Equal(row.Category == "xlam" ? """[{"name": "add", "arguments": {"a": 1.0}}]""" : "[]", row.AnswerJson));
        string before = File.ReadAllText(Path.Combine(output, "validation.jsonl"));
        await PaperDataset.ConvertAsync(files, item => [XlamConverter.Convert(item)], output, options, TestContext.Current.CancellationToken);
        Assert.Equal(before, File.ReadAllText(Path.Combine(output, "validation.jsonl")));
    }

    [Fact]
    public async Task Convert_BrokenFile_NamesFileAndLine()
    {
        using HandMadeFolder folder = new HandMadeFolder().With("b.jsonl", "{}", "{oops");

        TrainingDataException error = await Assert.ThrowsAsync<TrainingDataException>(() => PaperDataset.ConvertAsync(
            [Path.Combine(folder.Path, "b.jsonl")], item => [XlamConverter.Convert(item)], Path.Combine(folder.Path, "out"), new PaperDatasetOptions(), TestContext.Current.CancellationToken));

        Assert.EndsWith("b.jsonl", error.File, StringComparison.Ordinal);
        Assert.Equal(2, error.Line);
    }
}
