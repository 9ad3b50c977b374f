using ToolN1.Engine.Chat;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Engine.Tokenization;
using ToolN1.Engine.Weights;
using ToolN1.Training.Data;
using ToolN1.Training.Data.Tokenizers;
using ToolN1.Training.Grpo;
using ToolN1.Training.Rewards;
using static TorchSharp.torch;

namespace ToolN1.Training.Tests.Grpo;

/// <summary>A random checkpoint with a tokenizer and some rows; removed at the end.</summary>
public sealed class GrpoFixture : IDisposable
{
    public GrpoFixture()
    {
        Folder = Directory.CreateTempSubdirectory("tooln1-grpo-").FullName;
        Rows = Path.Combine(Folder, "rows.jsonl");
        TrainingRowWriter.Write(Rows, MakeRows());
        Model = Path.Combine(Folder, "model");
        OtherModel = Path.Combine(Folder, "other-model");
        Write(Model, seed: 3);
        Write(OtherModel, seed: 4);
    }

    public string Folder { get; }

    public string Rows { get; }

    public string Model { get; }

    /// <summary>Other weights of the same shape.</summary>
    public string OtherModel { get; }

    /// <summary>A short run; each name has its own output folder.</summary>
    internal GrpoConfig Config(string name, int steps = 4) => new()
    {
        Output = Path.Combine(Folder, name),
        Model = Model,
        ChatFormat = "tool-n1",
        Data = [Rows],
        Steps = steps,
        PromptsPerStep = 3,
        GroupSize = 4,
        MaxResponseTokens = 8,
        MicroBatchTokens = 1500,
        DType = "float32",
        Optimizer = new GrpoOptimizer { LearningRate = 0.01 },
        Loss = new PolicyLossOptions { KlCoefficient = 1e-3 },
        Checkpoints = new GrpoCheckpointPlan { EverySteps = 2 },
        Alarms = new GrpoAlarms { KlCeiling = null },
    };

    /// <summary>An engine that serves a folder as 'tiny'.</summary>
    internal static InferenceEngine Start(string folder)
    {
        Decoder decoder = CheckpointLoader.Load(folder, CPU, ScalarType.Float32);
        return InferenceEngine.Start(decoder, InferenceEngine.Describe(decoder, "tiny"), new EngineOptions { MaxModelLength = 512, KvCacheMiB = 16 });
    }

    /// <summary>What such an engine serves.</summary>
    internal static ServedModel Served(InferenceEngine engine, string folder, string format = "tool-n1")
    {
        Tokenizer tokenizer = Tokenizer.Load(folder);
        return new ServedModel(engine.Model, tokenizer, ChatFormats.Create(format, folder, tokenizer), folder, DateTimeOffset.UnixEpoch) { Device = "cpu", DType = "float32" };
    }

    /// <summary>Runs on an engine that serves <see cref="Model"/>, and with <paramref name="servesStart"/> what the run starts from besides.</summary>
    internal async Task<GrpoOutcome> RunAsync(
        GrpoConfig config, RecordingObserver observer, IReward? reward, bool resume = false, Func<GrpoRun, InferenceEngine, Task>? beside = null, bool servesStart = false, long? plannedBytes = null, IReward? heldOutReward = null)
    {
        Tokenizer tokenizer = Tokenizer.Load(Model);
        await using InferenceEngine engine = Start(Model);
        string? startVersion = config.Model == Model ? engine.Host.LiveVersion : servesStart ? await engine.Host.LoadAsync(config.Model, observer.StopToken) : null;
        IReadOnlyList<string> versions = engine.Host.Versions;
        GrpoHost host = new(engine, engine.Host, tokenizer, ChatFormats.Create(config.ChatFormat, Model, tokenizer), startVersion, PlannedBytes: plannedBytes);
        GrpoRun run = new(config, "run.json", host, observer, reward: reward, heldOutReward: heldOutReward);
        Task<GrpoOutcome> running = run.ExecuteAsync(resume, observer.StopToken);
        if (beside is not null)
        {
            await beside(run, engine);
        }

        GrpoOutcome outcome = await running;
        Assert.Equal(versions, engine.Host.Versions);
        return outcome;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private void Write(string folder, int seed)
    {
        TokenizerCorpus.Train([Rows], 600).Write(folder);
        Tokenizer tokenizer = Tokenizer.Load(folder);
        ModelConfig config = new()
        {
            Architecture = ModelArchitecture.Qwen2,
            HiddenSize = 64,
            IntermediateSize = 96,
            Layers = 2,
            Heads = 2,
            KeyValueHeads = 1,
            HeadDim = 32,
            VocabularySize = tokenizer.VocabularySize,
            RmsNormEpsilon = 1e-6,
            RopeTheta = 10000,
            MaxPositionEmbeddings = 1024,
            TieWordEmbeddings = true,
            QkvBias = true,
            QkNorm = false,
            DeclaredDType = "float32",
        };
        RandomCheckpoint.Write(config, folder, seed, ScalarType.Float32);
    }

    private static IEnumerable<TrainingRow> MakeRows()
    {
        ChatTool function = new("get_weather", """{"name": "get_weather", "description": "Weather", "parameters": {"city": {"type": "string"}}}""");
        foreach (string city in new[] { "Oslo", "Rome", "Lima", "Cairo", "Bonn", "Kyiv", "Paris" })
        {
            yield return new TrainingRow
            {
                Tools = [function],
                Messages = [new ChatMessage { Role = ChatRole.User, Content = $"weather in {city} please" }],
                Answer = [new TrainingCall("get_weather", $$"""{"city": "{{city}}"}""")],
            };
        }
    }
}
