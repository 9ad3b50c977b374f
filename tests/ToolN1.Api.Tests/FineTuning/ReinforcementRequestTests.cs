using System.Text.Json.Nodes;
using ToolN1.Api.Tests.Support;

namespace ToolN1.Api.Tests.FineTuning;

/// <summary>What a reinforcement job takes, refuses and resolves; the real method, which the fake engine keeps from training.</summary>
public sealed class ReinforcementRequestTests
{
    private const string Prompt = """{"messages":[{"role":"user","content":"2+2?"}],"reference":"4","calls":[{"name":"f","arguments":{"a":1}}]}""";
    private const string Equal = """{"type":"string_check","name":"equal","operation":"eq","input":"{{sample.output_text}}","reference":"{{item.reference}}"}""";

    [Theory]
    [InlineData("""{"hyperparameters":{"group_size":1}}""", "hyperparameters.group_size", "invalid_value")]
    [InlineData("""{"hyperparameters":{"epochs":1}}""", "hyperparameters.epochs", "unknown_parameter")]
    [InlineData("""{"hyperparameters":{"reasoning_effort":"high"}}""", "hyperparameters.reasoning_effort", "unsupported_parameter")]
    [InlineData("""{"hyperparameters":{"profile":"theirs"}}""", "hyperparameters.profile", "invalid_value")]
    [InlineData("""{"hyperparameters":{"n_epochs":2,"steps":3}}""", "hyperparameters.n_epochs", "invalid_value")]
    [InlineData("""{"hyperparameters":{"compute_multiplier":2,"group_size":3}}""", "hyperparameters.compute_multiplier", "invalid_value")]
    [InlineData("""{"hyperparameters":{"learning_rate_multiplier":2,"optimizer":{"learning_rate":1e-5}}}""", "hyperparameters.learning_rate_multiplier", "invalid_value")]
    [InlineData("""{"hyperparameters":{"batch_size":4,"mini_batch_prompts":5}}""", "hyperparameters.mini_batch_prompts", "invalid_value")]
    [InlineData("""{"hyperparameters":{"optimizer":{"beta1":1}}}""", "hyperparameters.optimizer.beta1", "invalid_value")]
    [InlineData("""{"hyperparameters":{"loss":{"kl":1}}}""", "hyperparameters.loss.kl", "unknown_parameter")]
    [InlineData("""{"hyperparameters":{"lora":{"targets":["q_proj","q_proj"]}}}""", "hyperparameters.lora.targets", "invalid_value")]
    [InlineData("""{"hyperparameters":{"max_response_tokens":8192}}""", "hyperparameters.max_response_tokens", "invalid_value")]
    [InlineData("""{"grader":{"type":"python","name":"p","source":"x"}}""", "grader.type", "unsupported_parameter")]
    [InlineData("""{"grader":{"type":"string_check","name":"s","operation":"eq","input":"{{item","reference":"x"}}""", "grader.input", "invalid_value")]
    [InlineData("""{"grader":{"type":"tool_call","name":"t","reference":"{{item.answer}}"},"hyperparameters":{"reward":{"kind":"partial"}}}""", "hyperparameters.reward", "invalid_value")]
    [InlineData("""{"response_format":{"type":"json_object"}}""", "response_format", "unsupported_parameter")]
    public async Task Create_WrongField_IsRefusedByItsPath(string options, string param, string code)
    {
        using TrainingServer server = TrainingServer.WithReinforcement();
        using HttpResponseMessage response = await PostAsync(server, await server.FileAsync(), options);
        JsonNode error = await Json.ErrorAsync(response, 400);

        Assert.Equal(("method.reinforcement." + param, code), (error["param"]!.GetValue<string>(), error["code"]!.GetValue<string>()));
    }

    [Theory]
    [InlineData("{}", "only a grader can judge")]
    [InlineData("""{"grader":{"type":"string_check","name":"s","operation":"eq","input":"{{sample.output_text}}","reference":"{{item.answer}}"}}""", "it has no item.answer")]
    [InlineData("""{"grader":{"type":"tool_call","name":"t","reference":"{{item.reference}}"}}""", "not a JSON list of calls")]
    public async Task Create_RowThatCannotBeGraded_IsRefusedByItsLine(string options, string expected)
    {
        using TrainingServer server = TrainingServer.WithReinforcement();
        string file = await server.FileAsync(Prompt.Replace("\"reference\":", "\"answer\":\"no\",\"reference\":", StringComparison.Ordinal) + "\n" + Prompt);
        using HttpResponseMessage response = await PostAsync(server, file, options);
        JsonNode error = await Json.ErrorAsync(response, 400);

        Assert.Equal("training_file", error["param"]!.GetValue<string>());
        Assert.Contains("Line", error["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Contains(expected, error["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_WithoutGraderWherePromptsAskForAnotherForm_NamesTheGrader_AndPlansAllTheSame()
    {
        using TrainingServer server = TrainingServer.WithReinforcement(("ToolN1:Model:ChatFormat", "hermes"));
        using HttpResponseMessage response = await PostAsync(server, await server.FileAsync(), "{}");
        JsonNode error = await Json.ErrorAsync(response, 400);
        JsonNode plan = await server.GetAsync("/admin/training/plan?max_response_tokens=64");

        Assert.Equal("method.reinforcement.grader", error["param"]!.GetValue<string>());
        Assert.True(plan["fits"]!.GetValue<bool>());
    }

    [Fact]
    public async Task Create_OpenAisHyperparameters_BecomeTheRunsValues()
    {
        using TrainingServer server = TrainingServer.WithReinforcement();
        string file = await server.FileAsync(Prompt);
        JsonNode job = await CreateAsync(server, file, $$$"""{"grader":{{{Equal}}},"hyperparameters":{"n_epochs":3,"batch_size":"auto","learning_rate_multiplier":2,"compute_multiplier":0.5,"eval_interval":7,"eval_samples":9,"reasoning_effort":"default","loss":{"kl_coefficient":0.5} } }""");
        JsonNode method = job["method"]!;
        JsonNode own = method["reinforcement"]!["hyperparameters"]!;

        Assert.Equal("reinforcement", method["type"]!.GetValue<string>());
        Assert.Equal("string_check", method["reinforcement"]!["grader"]!["type"]!.GetValue<string>());
        Assert.Equal((3, 1, 4, 7, 9, 2.0, 0.5), (
            own["n_epochs"]!.GetValue<int>(), own["batch_size"]!.GetValue<int>(), own["group_size"]!.GetValue<int>(), own["eval_interval"]!.GetValue<int>(), own["eval_samples"]!.GetValue<int>(),
            own["learning_rate_multiplier"]!.GetValue<double>(), own["loss"]!["kl_coefficient"]!.GetValue<double>()));

        // 5e-5 at a width of 256; the tiny model's is 64.
        Assert.Equal(2 * 5e-5 * 256 / 64, own["optimizer"]!["learning_rate"]!.GetValue<double>(), 1e-12);
        Assert.Equal(1024, own["micro_batch_tokens"]!.GetValue<int>());
        Assert.Null(own["reward"]!["kind"]);
        Assert.Equal((3, 1), (job["hyperparameters"]!["n_epochs"]!.GetValue<int>(), job["hyperparameters"]!["batch_size"]!.GetValue<int>()));
    }

    [Fact]
    public async Task Create_PaperProfile_TakesItsValuesWhereTheRequestHasNone()
    {
        using TrainingServer server = TrainingServer.WithReinforcement();
        JsonNode job = await CreateAsync(server, await server.FileAsync(), """{"hyperparameters":{"profile":"paper","max_response_tokens":64,"steps":5}}""");
        JsonNode own = job["method"]!["reinforcement"]!["hyperparameters"]!;

        Assert.Equal((1024, 5, 256, 1e-6, 0.7, 64, 5), (
            own["batch_size"]!.GetValue<int>(), own["group_size"]!.GetValue<int>(), own["mini_batch_prompts"]!.GetValue<int>(), own["optimizer"]!["learning_rate"]!.GetValue<double>(),
            own["sampling"]!["temperature"]!.GetValue<double>(), own["max_response_tokens"]!.GetValue<int>(), own["steps"]!.GetValue<int>()));
        Assert.Null(own["n_epochs"]);
    }

    [Theory]
    [InlineData("{}", "strict")]
    [InlineData("""{"hyperparameters":{"reward":{"lenient_numbers":true}}}""", "lenient")]
    public async Task Create_WithoutGrader_ShowsTheBuiltInRewardAsAGraderThatCanBeSent(string options, string numbers)
    {
        using TrainingServer server = TrainingServer.WithReinforcement();
        string file = await server.FileAsync();
        string grader = (await CreateAsync(server, file, options))["method"]!["reinforcement"]!["grader"]!.ToJsonString();
        JsonNode again = await CreateAsync(server, file, $$"""{"grader":{{grader}}}""");

        Assert.Equal($$$"""{"type":"tool_call","name":"tool_call","reference":"{{item.answer}}","numbers":"{{{numbers}}}"}""", grader);
        Assert.Equal(grader, again["method"]!["reinforcement"]!["grader"]!.ToJsonString());
    }

    private static Task<HttpResponseMessage> PostAsync(TrainingServer server, string file, string options) =>
        server.PostAsync("/v1/fine_tuning/jobs", Body(file, options));

    private static Task<JsonNode> CreateAsync(TrainingServer server, string file, string options) => server.PostOkAsync("/v1/fine_tuning/jobs", Body(file, options));

    private static string Body(string file, string options) =>
        $$$"""{"model":"{{{FakeEngine.ModelName}}}","training_file":"{{{file}}}","method":{"type":"reinforcement","reinforcement":{{{options}}} } }""";
}
