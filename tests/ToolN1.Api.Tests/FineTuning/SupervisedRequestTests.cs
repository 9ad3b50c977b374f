using System.Text.Json.Nodes;
using ToolN1.Api.Tests.Support;

namespace ToolN1.Api.Tests.FineTuning;

/// <summary>Which rows a supervised job takes; the real method, which the fake engine keeps from training.</summary>
public sealed class SupervisedRequestTests
{
    private const string Words = """{"tools": [], "messages": [{"role": "user", "content": "hi"}], "answer": [], "reply": "Hello."}""";
    private const string Neither = """{"tools": [], "messages": [{"role": "user", "content": "hi"}], "answer": []}""";
    private const string Prompt = """{"messages":[{"role":"user","content":"2+2?"}],"reference":"4"}""";

    [Fact]
    public async Task Create_RowsWithReasoningOrWords_AreTaken()
    {
        using TrainingServer server = TrainingServer.WithReinforcement();
        string mixed = await server.FileAsync(TrainingServer.Row + "\n" + Words);

        Assert.StartsWith("ftjob-", await server.JobAsync(mixed, $$""","validation_file":"{{mixed}}" """), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_RowWithNeither_IsRefusedByItsLine()
    {
        using TrainingServer server = TrainingServer.WithReinforcement();
        string error = await RefusedAsync(server, "training_file", await server.FileAsync(Words + "\n" + Neither), "");

        Assert.Contains("Line 2 of the training file has neither 'think' nor 'reply'", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TrainingServer.Row + "\n" + Prompt, "Line 2 of the validation_file: it is a prompt with reference fields")]
    [InlineData(Words, "answers in words only")]
    public async Task Create_HeldOutRowsThatExactMatchCannotJudge_AreRefused(string heldOut, string expected)
    {
        using TrainingServer server = TrainingServer.WithReinforcement();
        string error = await RefusedAsync(server, "validation_file", await server.FileAsync(), $$""","validation_file":"{{await server.FileAsync(heldOut)}}" """);

        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    private static async Task<string> RefusedAsync(TrainingServer server, string field, string file, string more)
    {
        using HttpResponseMessage response = await server.PostAsync("/v1/fine_tuning/jobs", $$"""{"model":"{{FakeEngine.ModelName}}","training_file":"{{file}}"{{more}}}""");
        JsonNode error = await Json.ErrorAsync(response, 400);
        Assert.Equal((field, "invalid_" + field), (error["param"]!.GetValue<string>(), error["code"]!.GetValue<string>()));
        return error["message"]!.GetValue<string>();
    }
}
