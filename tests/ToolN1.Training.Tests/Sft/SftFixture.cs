using ToolN1.Engine.Chat;
using ToolN1.Training.Data;
using ToolN1.Training.Data.Tokenizers;
using ToolN1.Training.Sft;

namespace ToolN1.Training.Tests.Sft;

/// <summary>A folder with rows and a tokenizer trained on them; removed at the end.</summary>
public sealed class SftFixture : IDisposable
{
    public SftFixture()
    {
        Folder = Directory.CreateTempSubdirectory("tooln1-sft-").FullName;
        Rows = Path.Combine(Folder, "rows.jsonl");
        TrainingRowWriter.Write(Rows, MakeRows());
        TokenizerFolder = Path.Combine(Folder, "tokenizer");
        TokenizerCorpus.Train([Rows], 600).Write(TokenizerFolder);
    }

    public string Folder { get; }

    public string Rows { get; }

    public string TokenizerFolder { get; }

    /// <summary>A run of a tiny model; each name has its own output folder.</summary>
    internal SftConfig Config(string name, int steps = 6) => new()
    {
        Output = Path.Combine(Folder, name),
        Init = new SftInit
        {
            Tokenizer = TokenizerFolder,
            Shape = new SftShape { HiddenSize = 32, IntermediateSize = 64, Layers = 2, Heads = 4, KeyValueHeads = 2 },
        },
        Phases = [new SftPhase { Name = "only", Data = [Rows], Steps = steps, Prompt = "short" }],
        Optimizer = new SftOptimizer { Kind = "muon", LearningRate = 0.01 },
        Schedule = new SftSchedule { WarmupSteps = 2 },
        TokensPerStep = 600,
        DType = "float32",
        LogEverySteps = 1,
    };

    /// <summary>Trains to the end, or until the observer stops it.</summary>
    /// <returns>Whether all steps are done.</returns>
    internal static bool Run(SftConfig config, SilentObserver observer, bool resume = false) => new SftRun(config, "test", observer).Execute(resume, observer.StopToken);

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static IEnumerable<TrainingRow> MakeRows()
    {
        string[] cities = ["Oslo", "Rome", "Lima", "Cairo", "Bonn", "Kyiv"];
        string[] tools = ["get_weather", "find_hotel", "book_train"];
        foreach (string tool in tools)
        {
            ChatTool function = new(tool, """{"name": "TOOL", "description": "TOOL", "parameters": {"city": {"type": "string"}}}""".Replace("TOOL", tool, StringComparison.Ordinal));
            foreach (string city in cities)
            {
                yield return new TrainingRow
                {
                    Tools = [function],
                    Messages = [new ChatMessage { Role = ChatRole.User, Content = $"{tool} for {city} please" }],
                    Answer = [new TrainingCall(tool, $$"""{"city": "{{city}}"}""")],
                    Think = $"{tool}: city is {city}",
                };
            }
        }
    }
}
