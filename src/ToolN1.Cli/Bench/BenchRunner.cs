using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using Spectre.Console;
using ToolN1.Engine;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Cli.Bench;

/// <summary>Starts an engine as options say, measures, and reports. Prompts are random ids and no prefix is ever shared.</summary>
internal sealed class BenchRunner
{
    private readonly InferenceEngine _engine;
    private readonly BenchSettings _settings;
    private readonly string _dtype;
    private readonly Device _device;
    private int _requests;

    private BenchRunner(InferenceEngine engine, BenchSettings settings, ScalarType dtype, Device device)
    {
        _engine = engine;
        _settings = settings;
        _dtype = dtype.ToString();
        _device = device;
    }

    /// <summary>Runs one benchmark: warm-up, repetitions with progress, table, JSON file if asked.</summary>
    /// <param name="settings">Model and repetitions.</param>
    /// <param name="name">Of the benchmark.</param>
    /// <param name="mix">What is asked of the engine, in words.</param>
    /// <param name="measure">One repetition; its results are reported as medians.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    public static async Task RunAsync(
        BenchSettings settings, string name, string mix, Func<BenchRunner, CancellationToken, Task<Dictionary<string, double>>> measure, CancellationToken cancellationToken)
    {
        double bandwidth = MachineProbe.ReadGigabytesPerSecond();
        double gigaflops = MachineProbe.Float32Gigaflops();
        BenchRunner runner = Start(settings);
        await using InferenceEngine engine = runner._engine;
        List<Dictionary<string, double>> runs = [];
        await AnsiConsole.Progress().StartAsync(async progress =>
        {
            ProgressTask task = progress.AddTask($"bench {name}", maxValue: settings.Repeat + 1);
            for (int i = 0; i <= settings.Repeat; i++)
            {
                Dictionary<string, double> results = await measure(runner, cancellationToken);
                if (i > 0)
                {
                    runs.Add(results);
                }

                task.Increment(1);
            }
        });

        Dictionary<string, double> medians = runs[0].Keys.ToDictionary(key => key, key => Math.Round(Quantile([.. runs.Select(run => run[key])], 0.5), 3));
        BenchReport report = new(
            name,
            runner._device.type == DeviceType.CPU ? MachineProbe.Processor() : runner._device.ToString(),
            RuntimeInformation.FrameworkDescription,
            typeof(BenchRunner).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "",
            settings.ModelName,
            runner._dtype,
            $"{mix}; median of {settings.Repeat}",
            Math.Round(bandwidth, 1),
            Math.Round(gigaflops, 1),
            medians);
        Print(report);
        if (settings.Json is not null)
        {
            await File.WriteAllTextAsync(settings.Json, JsonSerializer.Serialize(report, BenchReportContext.Default.BenchReport), cancellationToken);
        }
    }

    /// <summary>A quantile, interpolated linearly between the two nearest values: the median of two is their mean.</summary>
    public static double Quantile(IReadOnlyCollection<double> values, double share)
    {
        double[] sorted = [.. values.Order()];
        if (sorted.Length == 0)
        {
            return double.NaN;
        }

        double position = share * (sorted.Length - 1);
        int below = (int)position;
        int above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((position - below) * (sorted[above] - sorted[below]));
    }

    /// <summary>Generates greedily from a random prompt, through any end of sequence.</summary>
    /// <returns>Seconds from the call to each token.</returns>
    public async Task<double[]> GenerateAsync(int promptTokens, int newTokens, CancellationToken cancellationToken)
    {
        // A generator of its own: clients ask at the same time, and a shared one is not made for that.
        Random random = new(Interlocked.Increment(ref _requests));
        GenerationRequest request = new()
        {
            RequestId = Guid.NewGuid().ToString(),
            PromptTokenIds = [.. Enumerable.Range(0, promptTokens).Select(_ => random.Next(_engine.Model.VocabularySize))],
            MaxNewTokens = newTokens,
            Sampling = SamplingParameters.Greedy with { IgnoreEndOfSequence = true },
        };
        List<double> times = [];
        long start = Stopwatch.GetTimestamp();
        await foreach (GenerationUpdate update in _engine.Generate(request, cancellationToken))
        {
            times.AddRange(update.TokenIds.Select(_ => Stopwatch.GetElapsedTime(start).TotalSeconds));
        }

        cancellationToken.ThrowIfCancellationRequested();
        return [.. times];
    }

    private static BenchRunner Start(BenchSettings settings)
    {
        Device device = DeviceSelector.Select(settings.Device, "--device");
        ModelConfig config = settings.Model is null ? ModelPresets.Get(settings.Preset) : ModelConfig.Load(settings.Model);
        ScalarType dtype = DTypeSelector.Select(settings.DType, config.DeclaredDType, device);
        Decoder decoder = settings.Model is null ? Random(config, device, dtype) : CheckpointLoader.Load(settings.Model, device, dtype);
        EngineOptions options = new() { EnablePrefixCache = false, MaxSequences = settings.MaxSequences, MaxBatchedTokens = settings.MaxBatchedTokens };
        return new BenchRunner(InferenceEngine.Start(decoder, InferenceEngine.Describe(decoder, settings.ModelName), options), settings, dtype, device);
    }

    // Speed does not depend on the weights' values, as long as they stay finite.
    private static Decoder Random(ModelConfig config, Device device, ScalarType dtype)
    {
        Dictionary<string, long[]> shapes = ModelTensors.Enumerate(config).ToDictionary(tensor => tensor.Name, tensor => tensor.Shape);
        return new Decoder(config, name => empty(shapes[name], dtype, device).normal_(0, 0.02), () => "random");
    }

    /// <summary>Writes a report to the console.</summary>
    public static void Print(BenchReport report)
    {
        Table table = new Table().AddColumn("").AddColumn("").HideHeaders();
        table.AddRow("benchmark", report.Benchmark);
        table.AddRow("hardware", Markup.Escape($"{report.Hardware}; now reads {report.ReadGigabytesPerSecond} GB/s, multiplies {report.Float32Gigaflops} GFLOP/s in f32"));
        table.AddRow("runtime, commit", Markup.Escape($"{report.Runtime}, {report.Commit}"));
        table.AddRow("model, dtype", Markup.Escape($"{report.Model}, {report.DType}"));
        table.AddRow("mix", Markup.Escape(report.Mix));
        foreach ((string key, double value) in report.Results)
        {
            table.AddRow(Markup.Escape(key), $"[bold]{value}[/]");
        }

        AnsiConsole.Write(table);
    }
}
