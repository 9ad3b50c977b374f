using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Training.Passes;
using ToolN1.Training.Planning;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training.Sft;

/// <summary>What a supervised run will need.</summary>
/// <remarks>Rows share beginnings, so a group of them is taken to be within a micro-batch's budget; only a single row may be longer than that.</remarks>
public static class SftMemoryPlan
{
    /// <summary>The shortest rows that are worth proposing.</summary>
    private const int ShortestRow = 256;

    /// <summary>The shape of a run's model, which is not loaded.</summary>
    /// <exception cref="CheckpointException">The folder that it starts from cannot be used.</exception>
    /// <exception cref="Engine.Tokenization.TokenizerFormatException">The tokenizer that sets its vocabulary cannot be used.</exception>
    public static ModelConfig ModelOf(SftConfig config) => SftModel.ShapeOf(config);

    /// <summary>Plans a run and compares.</summary>
    /// <param name="config">The run.</param>
    /// <param name="model">Shape of its model.</param>
    /// <param name="device">Where it is to run; need not be there.</param>
    /// <param name="limit">Bytes there are; null where nothing tells.</param>
    /// <param name="rows">What it learns from; null takes the configuration's word for it.</param>
    /// <param name="server">The server that a job runs in; null for a run of its own.</param>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">The server's limits contradict the model.</exception>
    public static MemoryCheck Check(SftConfig config, ModelConfig model, Device device, long? limit, RowLengths? rows = null, PlannedServer? server = null) =>
        MemoryCheck.Of(Create(config, model, device, rows, server), limit, bytes => Remedies(config, model, device, bytes, rows, server));

    /// <summary>Plans a run of its own, or a server's job.</summary>
    /// <param name="config">The run. Without <paramref name="rows"/> its longest row is as long as its phases let one be, and all are half as long on average.</param>
    /// <param name="model">Shape of its model.</param>
    /// <param name="device">Where it is to run; need not be there.</param>
    /// <param name="rows">What it learns from; null takes the configuration's word for it.</param>
    /// <param name="server">The server that a job runs in; null for a run of its own.</param>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">The server's limits contradict the model.</exception>
    public static MemoryPlan Create(SftConfig config, ModelConfig model, Device device, RowLengths? rows = null, PlannedServer? server = null)
    {
        ScalarType compute = ComputeDType.Select(config.DType, device);
        bool isWritten = DecoderPass.Supports(model, device);
        int lanes = isWritten ? config.Lanes ?? 1 : 1;
        long parameters = ModelTensors.CountParameters(model);
        MemoryLedger ledger = new(model, device);

        // 1. What is there anyway.
        ledger.AddProcess(isServer: server is not null);
        if (server is not null)
        {
            ledger.AddEngine(server.Engine, DTypeSelector.Select(server.DType, model.DeclaredDType, device), server.IsFirstLive);
        }

        if (device.type == DeviceType.CPU)
        {
            long ids = rows is null ? FileBytes(config) : rows.Tokens * sizeof(int);
            ledger.Add(
                "data",
                rows is null ? "the rows' ids, about as large as the largest phase's files; what rows share once" : $"the rows' ids, {rows.Tokens:N0}; what rows share once",
                (long)(ids * Unshared(config.SharedPrefixRows)));
        }

        // 2. What stays between steps.
        long matrices = Muons(config, model).Sum();
        ledger.Add("training_weights", "f32 masters", parameters * 4);
        ledger.Add("gradients", lanes == 1 ? "f32" : $"f32, of {lanes} lanes each", parameters * 4 * lanes);
        ledger.Add(
            "optimizer", matrices == 0 ? "AdamW's two moments, f32" : "Muon's momentum of the layers' matrices, AdamW's two moments of the rest, f32", (8 * (parameters - matrices)) + (4 * matrices));

        // 3. What micro-batches take: full ones of ordinary rows, or the longest row alone.
        int longest = Longest(config, rows);
        long step = Math.Max(longest, Math.Min(config.TokensPerStep, (config.RowsPerStep ?? int.MaxValue) * (long)longest));
        long ordinary = Math.Min(config.MicroBatchTokens, (step + lanes - 1) / lanes);
        double mean = rows is { Count: > 0 } ? rows.Mean : longest / 2.0;
        double batches = config.Phases.Sum(phase => (double)phase.Steps) * ((step + ordinary - 1) / ordinary);
        if (isWritten)
        {
            WrittenPassMemory full = new(model, compute, ordinary, Shape(config, mean, config.SharedPrefixRows));
            WrittenPassMemory alone = new(model, compute, longest, Shape(config, longest, 1));
            ledger.AddWrittenPass(full.Total >= alone.Total ? full : alone, WrittenPassMemory.Weights(model, compute, ScalarType.Float32), compute, longest, recomputes: false, batches, lanes);
        }
        else
        {
            ledger.AddAutogradPass(
                new AutogradPassMemory(model, compute, ScalarType.Float32, trainsWeights: true, Math.Max(ordinary, longest), longest, SftStepper.LogitElements), recomputes: false, batches);
        }

        ledger.Add("optimizer_step", matrices == 0 ? "temporaries of the largest tensor, f32" : "the matrices that Muon moves together", Math.Max(MemoryLedger.LargestTensor(model) * 4 * 2, MuonStep(config, model, compute)));
        return ledger.ToPlan();
    }

    /// <summary>Changes that would bring a run below a limit, cheapest first, each with all before it.</summary>
    /// <param name="config">The run.</param>
    /// <param name="model">Shape of its model.</param>
    /// <param name="device">Where it is to run.</param>
    /// <param name="limit">Bytes there are.</param>
    /// <param name="rows">As for <see cref="Create"/>.</param>
    /// <param name="server">As for <see cref="Create"/>; of a job, the rows alone can be changed.</param>
    /// <returns>The changes and the totals they lead to; the last one fits where any does.</returns>
    public static IReadOnlyList<MemoryRemedy> Remedies(SftConfig config, ModelConfig model, Device device, long limit, RowLengths? rows = null, PlannedServer? server = null)
    {
        RemedySearch<SftConfig> search = new(config, changed => Create(changed, model, device, rows, server).Total, limit);
        if (server is null)
        {
            for (int lanes = (config.Lanes ?? 1) / 2; lanes >= 1; lanes /= 2)
            {
                if (search.Try($"lanes: {lanes}", search.Current with { Lanes = lanes }))
                {
                    return search.Remedies;
                }
            }

            for (int tokens = config.MicroBatchTokens / 2; tokens >= 512; tokens /= 2)
            {
                if (search.Try($"micro_batch_tokens: {tokens}", search.Current with { MicroBatchTokens = tokens }))
                {
                    return search.Remedies;
                }
            }

            if (ComputeDType.Select("auto", device) == ScalarType.BFloat16 && search.Try("dtype: bfloat16", search.Current with { DType = "bfloat16" }))
            {
                return search.Remedies;
            }
        }

        for (int tokens = Longest(config, rows) / 2; tokens >= ShortestRow; tokens /= 2)
        {
            SftConfig shorter = search.Current with { Phases = [.. search.Current.Phases.Select(phase => phase with { MaxTokens = Math.Min(phase.MaxTokens, tokens) })] };
            if (search.Try(server is null ? $"phases[].max_tokens: {tokens}" : $"rows of at most {tokens} tokens", shorter))
            {
                return search.Remedies;
            }
        }

        return search.Remedies;
    }

    private static int Longest(SftConfig config, RowLengths? rows) => Math.Min(rows?.Longest ?? int.MaxValue, config.Phases.Max(phase => phase.MaxTokens));

    /// <summary>Three quarters of a row are taken to be its prompt, and two thirds of that what rows with the same tools share.</summary>
    private static BatchShape Shape(SftConfig config, double row, int rows)
    {
        BatchShape shape = rows == 1 ? new(row * 3 / 4, row / 4, 1, 0) : new(row / 2, row / 2, rows, 0);
        double answers = rows * row / 4 / (shape.Prefix + shape.Rest);
        return shape with { Predicting = answers + (config.PromptLossWeight > 0 ? config.PromptLossFraction * (1 - answers) : 0) };
    }

    /// <summary>Fraction of all rows' ids that groups of some rows keep, with the shared half of <see cref="Shape"/> once a group.</summary>
    private static double Unshared(int rows) => (1 + (1.0 / rows)) / 2;

    /// <summary>Elements of each matrix that Muon moves.</summary>
    private static IEnumerable<long> Muons(SftConfig config, ModelConfig model) =>
        ModelTensors.Enumerate(model).Where(tensor => SftStepper.IsMuons(config.Optimizer, tensor.Name, tensor.Shape)).Select(tensor => MemoryLedger.Elements(tensor.Shape));

    /// <summary>
    /// Matrices of one shape, lying or standing, are orthogonalised together: their directions, these side by side, squared and normed in f32, and
    /// two of them and three squares in the products' dtype.
    /// </summary>
    private static long MuonStep(SftConfig config, ModelConfig model, ScalarType compute) => ModelTensors.Enumerate(model)
        .Where(tensor => SftStepper.IsMuons(config.Optimizer, tensor.Name, tensor.Shape))
        .GroupBy(tensor => (Small: Math.Min(tensor.Shape[0], tensor.Shape[1]), Large: Math.Max(tensor.Shape[0], tensor.Shape[1])))
        .Select(group => group.Count() * ((4 * 4 * group.Key.Small * group.Key.Large) + (MemoryLedger.Size(compute) * ((2 * group.Key.Small * group.Key.Large) + (3 * group.Key.Small * group.Key.Small)))))
        .DefaultIfEmpty().Max();

    /// <summary>Of the phase whose files are largest; what is not there yet counts nothing.</summary>
    private static long FileBytes(SftConfig config) => config.Phases.Max(phase => phase.Data.Sum(file => new FileInfo(file) is { Exists: true } info ? info.Length : 0));
}
