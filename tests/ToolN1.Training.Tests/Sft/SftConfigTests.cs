using ToolN1.Training.Optimizers;
using ToolN1.Training.Sft;

namespace ToolN1.Training.Tests.Sft;

public sealed class SftConfigTests : IDisposable
{
    private const string Valid = """
        {
          // A comment is fine.
          "output": "out",
          "init": { "from": "folder" },
          "phases": [ { "name": "a", "data": ["x.jsonl"], "steps": 3 } ],
          "schedule": { "kind": "linear" },
          "dtype": "float32"
        }
        """;

    private readonly string _file = Path.GetTempFileName();

    [Fact]
    public void Read_Valid_GivesValuesAndDefaults()
    {
        SftConfig config = Read(Valid);
        Assert.Equal(LearningRateDecay.Linear, config.Schedule.Kind);
        Assert.Equal(4096, config.TokensPerStep);
        Assert.Equal("float32", config.DType);
        Assert.Equal(0.95, config.Optimizer.Beta2);
        Assert.Equal("full", config.Phases[0].Prompt);
    }

    [Theory]
    [InlineData("\"dtype\": \"float32\"", "\"tokens_per_stepp\": 1", "tokens_per_stepp")]
    [InlineData("\"dtype\": \"float32\"", "\"dtype\": \"int4\"", "dtype")]
    [InlineData("\"dtype\": \"float32\"", "\"clip_norm\": 0", "clip_norm")]
    [InlineData("\"dtype\": \"float32\"", "\"clip_norm\": \"one\"", "clip_norm")]
    [InlineData("\"dtype\": \"float32\"", "\"lanes\": 0", "lanes")]
    [InlineData("\"dtype\": \"float32\"", "\"dtype\": null", "dtype")]
    [InlineData("\"linear\"", "\"step\"", "schedule.kind")]
    [InlineData("\"linear\"", "1", "schedule.kind")]
    [InlineData("\"from\": \"folder\"", "\"tokenizer\": \"t\"", "init")]
    [InlineData("\"from\": \"folder\"", "\"shape\": { \"hidden_size\": 64, \"intermediate_size\": 64, \"layers\": 1, \"heads\": 4, \"key_value_heads\": 3 }, \"tokenizer\": \"t\"", "key_value_heads")]
    [InlineData("\"from\": \"folder\"", "\"shape\": { \"hidden_size\": 64 }, \"tokenizer\": \"t\"", "init.shape")]
    [InlineData("\"steps\": 3", "\"steps\": 0", "phases[0].steps")]
    [InlineData("\"steps\": 3", "\"prompt\": \"long\", \"steps\": 3", "phases[0].prompt")]
    [InlineData("[\"x.jsonl\"]", "[null]", "phases[0].data")]
    [InlineData("\"phases\": [ {", "\"phases\": [ null, {", "phases[0]")]
    [InlineData("\"output\": \"out\"", "\"output\": \"out\", \"output\": \"b\"", "output")]
    public void Read_Invalid_NamesFileAndField(string valid, string invalid, string field)
    {
        TrainingConfigException error = Assert.Throws<TrainingConfigException>(() => Read(Valid.Replace(valid, invalid, StringComparison.Ordinal)));
        Assert.StartsWith(_file, error.Message, StringComparison.Ordinal);
        Assert.Contains(field, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_NoJson_NamesTheFile() => Assert.Contains(_file, Assert.Throws<TrainingConfigException>(() => Read("{")).Message, StringComparison.Ordinal);

    public void Dispose() => File.Delete(_file);

    private SftConfig Read(string json)
    {
        File.WriteAllText(_file, json);
        return SftConfigReader.Read(_file);
    }
}
