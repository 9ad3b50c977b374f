using ToolN1.Training.Grpo;
using ToolN1.Training.Optimizers;

namespace ToolN1.Training.Tests.Grpo;

public sealed class GrpoConfigTests
{
    private const string Valid = """
        {
          // A comment is fine.
          "output": "out", "model": "folder", "data": ["x.jsonl"], "steps": 3,
          "loss": { "clip_high": 0.3 },
          "schedule": { "kind": "linear" }
        }
        """;

    [Fact]
    public void Parse_Default_GivesTheDefaultProfile()
    {
        GrpoConfig config = GrpoConfigReader.Parse(Valid, "run.json");
        Assert.Equal((8, 1.0, 1024, 1e-6, 1e-3, 0.2, 0.3), (config.GroupSize, config.Sampling.Temperature, config.MaxResponseTokens, config.Optimizer.LearningRate, config.Loss.KlCoefficient, config.Loss.ClipLow, config.Loss.ClipHigh));
        Assert.Equal(LearningRateDecay.Linear, config.Schedule.Kind);
        Assert.True(config.Loss.DropUniformGroups);
        Assert.Null(config.MiniBatchPrompts);
    }

    [Fact]
    public void Parse_Lora_GivesItsRateAndNoKl()
    {
        GrpoConfig config = GrpoConfigReader.Parse(Valid.Replace("\"steps\": 3", "\"steps\": 3, \"lora\": {\"rank\": 8}", StringComparison.Ordinal), "run.json");
        Assert.Equal((8, 1e-5, 0.0), (config.Lora!.Rank, config.Optimizer.LearningRate, config.Loss.KlCoefficient));
        Assert.Equal(7, config.Lora.Targets.Count);
    }

    [Fact]
    public void Parse_Paper_GivesTheTableOfThePaper()
    {
        GrpoConfig config = GrpoConfigReader.Parse("""{"profile": "paper", "output": "out", "model": "folder", "data": ["x.jsonl"]}""", "run.json");
        Assert.Equal((1024, 5, 256, 7, (int?)null), (config.PromptsPerStep, config.GroupSize, config.MiniBatchPrompts, config.Epochs, config.Steps));
        Assert.Equal((0.7, 4096, 8192), (config.Sampling.Temperature, config.MaxPromptTokens, config.MaxResponseTokens));
        Assert.Equal((0.2, 0.2, 1e-3, false), (config.Loss.ClipLow, config.Loss.ClipHigh, config.Loss.KlCoefficient, config.Loss.DropUniformGroups));
        Assert.Equal((1e-6, 0.9, 0.999, 1e-8, 0.01, 1.0), (config.Optimizer.LearningRate, config.Optimizer.Beta1, config.Optimizer.Beta2, config.Optimizer.Epsilon, config.Optimizer.WeightDecay, config.ClipNorm));
        Assert.Equal((LearningRateDecay.Constant, 0.0), (config.Schedule.Kind, config.Schedule.WarmupFraction));
        Assert.Equal(4, GrpoStepPlan.NominalUpdates(config));
    }

    [Fact]
    public void Parse_PaperWithSmallerSteps_MakesOneUpdateOfEach()
    {
        const string Paper = """{"profile": "paper", "output": "out", "model": "folder", "data": ["x.jsonl"], "prompts_per_step": 64, "steps": 1}""";
        GrpoConfig config = GrpoConfigReader.Parse(Paper, "run.json");
        Assert.Equal((64, (int?)null, 1), (config.PromptsPerStep, config.MiniBatchPrompts, GrpoStepPlan.NominalUpdates(config)));

        // One that was asked for is not changed.
        Assert.Throws<TrainingConfigException>(() => GrpoConfigReader.Parse(Paper.Replace("\"steps\"", "\"mini_batch_prompts\": 256, \"steps\"", StringComparison.Ordinal), "run.json"));
    }

    [Theory]
    [InlineData("\"steps\": 3", "\"stepps\": 3", "stepps")]
    [InlineData("\"steps\": 3", "\"steps\": 0", "steps")]
    [InlineData("\"steps\": 3", "\"steps\": 3, \"epochs\": 1", "steps")]
    [InlineData("\"steps\": 3", "\"steps\": 3, \"group_size\": 1", "group_size")]
    [InlineData("\"steps\": 3", "\"steps\": 3, \"mini_batch_prompts\": 17", "mini_batch_prompts")]
    [InlineData("\"steps\": 3", "\"steps\": 3, \"profile\": \"best\"", "profile")]
    [InlineData("\"steps\": 3", "\"steps\": 3, \"sampling\": {\"temperature\": 0}", "sampling.temperature")]
    [InlineData("\"steps\": 3", "\"steps\": 3, \"lora\": {\"targets\": [\"q\"]}", "lora.targets")]
    [InlineData("\"steps\": 3", "\"steps\": 3, \"lora\": {\"rank\": 0}", "lora.rank")]
    [InlineData("\"steps\": 3", "\"steps\": 3, \"dtype\": \"int8\"", "dtype")]
    [InlineData("\"steps\": 3", "\"steps\": 3, \"reward\": {\"kind\": \"best\"}", "reward.kind")]
    [InlineData("\"clip_high\": 0.3", "\"clip_high\": -1", "loss.clip_high")]
    [InlineData("\"clip_high\": 0.3", "\"dual_clip\": 1", "loss.dual_clip")]
    [InlineData("\"clip_high\": 0.3", "\"aggregation\": \"mean\"", "loss.aggregation")]
    [InlineData("\"clip_high\": 0.3", "\"ratio\": 1", "loss.ratio")]
    [InlineData("\"clip_high\": 0.3", "\"kl\": 1", "loss.kl")]
    [InlineData("\"clip_high\": 0.3", "\"dual_clip\": 1e999", "loss.dual_clip")]
    [InlineData("\"clip_high\": 0.3", "\"dual_clip\": 3, \"objective\": \"cispo\"", "loss.dual_clip")]
    [InlineData("\"clip_high\": 0.3", "\"objective\": \"cispo\", \"cispo_cap\": 1e999", "loss.cispo_cap")]
    [InlineData("\"clip_high\": 0.3", "\"cispo_cap\": 3", "loss.cispo_cap")]
    [InlineData("\"clip_high\": 0.3", "\"importance_cap\": 3", "loss.importance_cap")]
    [InlineData("\"clip_high\": 0.3", "\"advantage_scale\": \"none\", \"advantage_epsilon\": 1e-4", "loss.advantage_epsilon")]
    [InlineData("\"linear\"", "\"constant\", \"minimum\": 0.1", "schedule.minimum")]
    [InlineData("\"steps\": 3", "\"steps\": 3, \"passes_per_step\": 101", "passes_per_step")]
    [InlineData("\"steps\": 3", "\"steps\": 3, \"prompts_per_step\": 1073741824", "prompts_per_step")]
    [InlineData("\"steps\": 3", "\"steps\": 2147483647, \"mini_batch_prompts\": 1", "steps")]
    [InlineData("\"steps\": 3", "\"steps\": 3, \"engine\": {\"max_batched_tokens\": 16}", "engine.max_batched_tokens")]
    [InlineData("\"clip_high\": 0.3 }", "\"kl_coefficient\": 0 }, \"alarms\": {\"kl_ceiling\": 0.5}", "alarms.kl_ceiling")]
    [InlineData("[\"x.jsonl\"]", "[null]", "'data'")]
    [InlineData("\"steps\": 3", "\"steps\": 3, \"evaluation\": {\"data\": [null]}", "evaluation.data")]
    [InlineData("\"output\": \"out\", ", "", "output")]
    [InlineData("\"output\": \"out\"", "\"output\": \"out\", \"output\": \"b\"", "output")]
    public void Parse_Invalid_NamesFileAndField(string valid, string invalid, string field)
    {
        TrainingConfigException error = Assert.Throws<TrainingConfigException>(() => GrpoConfigReader.Parse(Valid.Replace(valid, invalid, StringComparison.Ordinal), "run.json"));
        Assert.StartsWith("run.json", error.Message, StringComparison.Ordinal);
        Assert.Contains(field, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"loss\": {\"objective\": \"cispo\", \"cispo_cap\": 3}")]
    [InlineData("\"loss\": {\"dual_clip\": 3}")]
    [InlineData("\"loss\": {\"importance\": \"token\", \"importance_cap\": 3, \"advantage_epsilon\": 1e-4}")]
    [InlineData("\"schedule\": {\"kind\": \"cosine\", \"minimum\": 0.1}")]
    [InlineData("\"engine\": {\"max_batched_tokens\": 16, \"max_sequences\": 16}")]
    [InlineData("\"lora\": {}, \"alarms\": {\"kl_ceiling\": 0.5}")]
    [InlineData("\"alarms\": {\"kl_ceiling\": 0.5}")]
    [InlineData("\"loss\": {\"kl_coefficient\": 0}")]
    [InlineData("\"loss\": {\"kl_coefficient\": 0}, \"alarms\": {\"kl_ceiling\": null}")]
    public void Parse_OptionsThatHaveAnEffect_AreTaken(string options) =>
        GrpoConfigReader.Parse($$"""{"output": "out", "model": "folder", "data": ["x.jsonl"], "steps": 3, {{options}}}""", "run.json");

    [Fact]
    public void CheckEdit_CeilingWhereThereIsNoReference_IsRefused()
    {
        GrpoConfig config = GrpoConfigReader.Parse(Valid, "run.json");
        GrpoEdit edit = new() { KlCeiling = 0.5 };
        edit.Check(config);
        GrpoConfig free = config with { Loss = config.Loss with { KlCoefficient = 0 } };
        edit.Check(free with { Lora = new GrpoLora() });
        Assert.Equal("kl_ceiling", Assert.Throws<GrpoEditException>(() => edit.Check(free)).Field);
    }

    [Fact]
    public void Write_ReadBack_IsTheSame()
    {
        GrpoConfig config = GrpoConfigReader.Parse(Valid, "run.json");
        string text = GrpoConfigReader.Write(config);
        Assert.Equal(text, GrpoConfigReader.Write(GrpoConfigReader.Parse(text, "again.json")));
    }
}
