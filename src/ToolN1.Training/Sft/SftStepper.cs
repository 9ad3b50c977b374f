using ToolN1.Engine.Kernels;
using ToolN1.Engine.Model;
using ToolN1.Training.Optimizers;
using ToolN1.Training.Packing;
using ToolN1.Training.Passes;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training.Sft;

/// <summary>One optimizer step over some groups of rows: micro-batches, one division by the whole step's weight, clip, update.</summary>
internal sealed class SftStepper : IDisposable
{
    /// <summary>Logits that exist at once through autograd: 32 MiB in f32.</summary>
    public const long LogitElements = 8 << 20;

    private readonly SftConfig _config;
    private readonly Decoder _decoder;
    private readonly Tensor[] _parameters;
    private readonly DecoderPass? _pass;
    private readonly PassLanes? _lanes;
    private readonly Action<Action> _turn;

    /// <summary>Prepares the optimizers.</summary>
    /// <param name="config">The run.</param>
    /// <param name="decoder">f32 masters that require gradients, with the products' dtype in its projections; the caller owns it.</param>
    /// <param name="autograd">Goes through autograd even where the pass with written-out derivatives would do.</param>
    /// <param name="turn">Runs each micro-batch (several lanes: all of them), and the update; null runs them at once.</param>
    public SftStepper(SftConfig config, Decoder decoder, bool autograd = false, Action<Action>? turn = null)
    {
        _turn = turn ?? (work => work());
        ScalarType compute = decoder.Head.ComputeDType ?? ScalarType.Float32;
        if (!autograd && DecoderPass.Supports(decoder))
        {
            _lanes = new PassLanes(config.Lanes ?? 1, get_num_threads());
            _pass = DecoderPass.Create(decoder, compute, threads: _lanes.ThreadsEach);
        }

        _config = config;
        _decoder = decoder;
        List<(string Name, Tensor Tensor)> weights = [.. decoder.NamedWeights()];
        _parameters = [.. weights.Select(weight => weight.Tensor)];
        SftOptimizer options = config.Optimizer;
        bool IsHiddenMatrix((string Name, Tensor Tensor) weight) => IsMuons(options, weight.Name, weight.Tensor.shape);
        AdamW adam = new([.. weights.Where(weight => !IsHiddenMatrix(weight))], options.LearningRate, options.Beta1, options.Beta2, options.Epsilon, options.WeightDecay);
        Optimizers = options.Kind == "muon"
            ? [adam, new Muon([.. weights.Where(IsHiddenMatrix)], options.MuonLearningRate, options.MuonMomentum, options.WeightDecay, compute)]
            : [adam];
    }

    /// <summary>Whether a weight is Muon's to move rather than AdamW's: where chosen, the layers' matrices.</summary>
    public static bool IsMuons(SftOptimizer options, string name, long[] shape) => options.Kind == "muon" && shape.Length == 2 && name.StartsWith("model.layers.", StringComparison.Ordinal);

    /// <summary>AdamW, and Muon where chosen.</summary>
    public IReadOnlyList<IOptimizer> Optimizers { get; }

    /// <summary>Runs a step. A non-finite loss or gradient leaves weights and optimizers as they were.</summary>
    /// <param name="groups">What to learn.</param>
    /// <param name="seed">Draws the prompt positions.</param>
    /// <param name="scheduleFactor">Factor on the learning rates.</param>
    /// <returns>Sums and norms; <see cref="StepSums.IsFinite"/> is false when the step was skipped.</returns>
    public StepSums Step(IReadOnlyList<RowGroup> groups, int seed, double scheduleFactor)
    {
        // 1. Lay out all micro-batches first: their common weight divides every sum, so the split does not matter.
        PackedBatch[][] lanes = Split(groups, seed);
        List<PackedBatch> batches = [.. lanes.SelectMany(lane => lane)];
        double totalWeight = batches.Sum(batch => batch.TotalWeight);

        // 2. Gradients of each. Several lanes go through theirs without a stop: a process with lanes serves nobody meanwhile.
        _turn(Begin);
        StepSums sums = new() { Tokens = batches.Sum(batch => batch.TokenCount), Answers = batches.Sum(batch => batch.AnswerLengths.Count), AnswerTokens = batches.Sum(batch => batch.AnswerTokens) };
        PackedBatch[][][] rounds = lanes.Length == 1 ? [.. lanes[0].Select(batch => new PackedBatch[][] { [batch] })] : [lanes];
        foreach (PackedBatch[][] together in rounds)
        {
            _turn(() => Accumulate(together, totalWeight, sums));
        }

        // 3. Clip, check, update.
        _turn(() => Update(sums, scheduleFactor));
        return sums;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IOptimizer optimizer in Optimizers)
        {
            optimizer.Dispose();
        }

        _pass?.Dispose();
        _lanes?.Dispose();
    }

    private void Begin()
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (Tensor parameter in _parameters)
        {
            parameter.grad?.zero_();
        }

        _pass?.LoadWeights();
    }

    private void Update(StepSums sums, double scheduleFactor)
    {
        using DisposeScope scope = NewDisposeScope();
        _lanes?.MoveToParameters();
        sums.GradientNorm = GradientClipping.Clip(_parameters, _config.ClipNorm);
        sums.IsFinite = double.IsFinite(sums.Loss) && double.IsFinite(sums.GradientNorm);
        if (sums.IsFinite)
        {
            foreach (IOptimizer optimizer in Optimizers)
            {
                optimizer.Step(scheduleFactor);
            }
        }
    }

    private PackedBatch[][] Split(IReadOnlyList<RowGroup> groups, int seed)
    {
        // Chance is given out in the order of the groups, whatever the split.
        Random random = new(seed);
        (RowGroup Rows, int Seed)[] seeded = [.. groups.Select(group => (group, random.Next()))];
        return [.. MicroBatches.Split(seeded, group => group.Rows.TokenCount, _config.MicroBatchTokens, _lanes?.Count ?? 1)
            .Select(lane => lane.Select(part => new PackedBatch(part, _config.PromptLossWeight, _config.PromptLossFraction)).ToArray())];
    }

    private void Accumulate(PackedBatch[][] together, double totalWeight, StepSums sums)
    {
        if (_pass is null || _lanes is null)
        {
            AccumulateByAutograd(together.Single().Single(), totalWeight, sums);
            return;
        }

        PassResult[][] results = new PassResult[together.Length][];
        _lanes.Run(together.Length, (lane, gradients) => results[lane] = [.. together[lane].Select(batch => Pass(batch, totalWeight, gradients))]);
        foreach ((PackedBatch batch, PassResult result) in together.Zip(results).SelectMany(lane => lane.First.Zip(lane.Second)))
        {
            float[] weights = batch.Weights;
            for (int i = 0; i < weights.Length; i++)
            {
                sums.Loss -= result.LogProbs[i] * weights[i] / totalWeight;
                sums.AnswerLossSum -= i < batch.AnswerTokens ? result.LogProbs[i] : 0;
            }

            Count(batch, result.Hits, sums);
        }
    }

    private PassResult Pass(PackedBatch batch, double totalWeight, PassGradients gradients)
    {
        float[] weights = batch.Weights;
        return _pass!.Accumulate(
            batch, temperature: 1, wholeBatch: false,
            (start, logProbs) => [.. weights.AsSpan(start, logProbs.Length).ToArray().Select(weight => (float)(-weight / totalWeight))], gradients);
    }

    private void AccumulateByAutograd(PackedBatch batch, double totalWeight, StepSums sums)
    {
        using DisposeScope batchScope = NewDisposeScope();
        Device device = _decoder.Device;
        HeadPieces pieces = new(LogitElements, _decoder.Config.VocabularySize, device);
        PaddedBatch padded = new(batch, pieces, device);
        using SpanAttention attention = new(padded.Spans, device);
        Tensor hidden = _decoder.Forward(tensor(padded.Ids, device: device), tensor(padded.Positions, device: device), attention);

        // The head runs on a detached copy of the wanted rows, a piece at a time, each piece backward at once; the
        // transformer's own way back begins with the gathered gradient.
        Tensor wanted = hidden.index_select(0, tensor(padded.Sources, device: device));
        Tensor rows = wanted.detach();
        rows.requires_grad = true;
        Tensor targets = tensor(padded.Targets, device: device);
        Tensor weights = tensor(padded.Weights, device: device);
        bool[] right = new bool[batch.AnswerTokens];
        foreach ((int start, int count) in pieces.Of(rows.shape[0]))
        {
            using DisposeScope piece = NewDisposeScope();
            Tensor logits = _decoder.Logits(rows.narrow(0, start, count));
            Tensor wantedIds = targets.narrow(0, start, count);
            Tensor losses = nn.functional.cross_entropy(logits, wantedIds, reduction: nn.Reduction.None);
            Tensor loss = (losses * weights.narrow(0, start, count)).sum().MultiplyNumber(1 / totalWeight);
            loss.backward();
            sums.Loss += loss.item<float>();

            int answers = Math.Min(count, Math.Max(0, batch.AnswerTokens - start));
            if (answers > 0)
            {
                sums.AnswerLossSum += losses.detach().narrow(0, 0, answers).sum().item<float>();
                Tensor hits = logits.detach().narrow(0, 0, answers).argmax(1).eq(wantedIds.narrow(0, 0, answers)).cpu();
                hits.data<bool>().ToArray().CopyTo(right, start);
            }
        }

        wanted.backward([rows.grad!]);
        Count(batch, right, sums);
    }

    private static void Count(PackedBatch batch, bool[] right, StepSums sums)
    {
        int start = 0;
        foreach (int length in batch.AnswerLengths)
        {
            int hits = right.AsSpan(start, length).Count(true);
            sums.RightTokens += hits;
            sums.RightAnswers += hits == length ? 1 : 0;
            start += length;
        }
    }
}

/// <summary>What a step summed up.</summary>
internal sealed class StepSums
{
    /// <summary>Weighted mean loss.</summary>
    public double Loss { get; set; }

    /// <summary>Sum over answer tokens.</summary>
    public double AnswerLossSum { get; set; }

    /// <summary>Answer tokens.</summary>
    public int AnswerTokens { get; init; }

    /// <summary>Answer tokens predicted right.</summary>
    public int RightTokens { get; set; }

    /// <summary>Rows.</summary>
    public int Answers { get; init; }

    /// <summary>Rows predicted right throughout.</summary>
    public int RightAnswers { get; set; }

    /// <summary>Tokens of all micro-batches.</summary>
    public int Tokens { get; init; }

    /// <summary>Global norm before clipping.</summary>
    public double GradientNorm { get; set; }

    /// <summary>False when the step was skipped.</summary>
    public bool IsFinite { get; set; }
}
