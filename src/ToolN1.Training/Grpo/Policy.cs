using ToolN1.Engine.Chat;
using ToolN1.Engine.Execution;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Kernels;
using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;
using ToolN1.Training.Checkpoints;
using ToolN1.Training.Packing;
using static TorchSharp.torch;

namespace ToolN1.Training.Grpo;

/// <summary>
/// What is trained and what it is compared with: all weights as f32 masters beside a frozen copy, or an adapter over frozen
/// weights that are the reference themselves while it is off.
/// </summary>
internal sealed class Policy : IDisposable
{
    private readonly GrpoConfig _config;
    private readonly Decoder _decoder;
    private readonly Decoder? _frozen;
    private readonly PolicyPass? _frozenPass;
    private readonly AdapterSelection? _selection;
    private readonly LoraAdapter? _adapter;

    /// <summary>Takes ownership of what it is given.</summary>
    /// <param name="config">The run.</param>
    /// <param name="decoder">f32 masters, or the frozen weights under an adapter.</param>
    /// <param name="frozen">The initial policy, where all weights are trained and a KL is wanted.</param>
    /// <param name="lora">The adapter and the decoder's selection, which has it on.</param>
    /// <param name="autograd">Goes through autograd even where the pass with written-out derivatives would do.</param>
    public Policy(GrpoConfig config, Decoder decoder, Decoder? frozen, (AdapterSelection Selection, LoraAdapter Adapter)? lora, bool autograd = false)
    {
        _config = config;
        _decoder = decoder;
        _frozen = frozen;
        _selection = lora?.Selection;
        _adapter = lora?.Adapter;
        Pass = PolicyPass.Create(decoder, config.RecomputeActivations, autograd);
        _frozenPass = frozen is null ? null : PolicyPass.Create(frozen, recomputes: false, autograd);
        Parameters = _adapter is null ? [.. decoder.NamedWeights()] : [.. _adapter.NamedTensors];
        foreach ((_, Tensor tensor) in Parameters)
        {
            tensor.requires_grad = true;
        }
    }

    /// <summary>What the optimizer moves, by name; f32.</summary>
    public IReadOnlyList<(string Name, Tensor Tensor)> Parameters { get; }

    /// <summary>The weights, adapter aside.</summary>
    public Decoder Decoder => _decoder;

    /// <summary>The policy's pass.</summary>
    public PolicyPass Pass { get; }

    /// <summary>Whether a KL to the initial policy can be computed.</summary>
    public bool HasReference => _adapter is not null || _frozen is not null;

    /// <summary>Loads what a run trains.</summary>
    /// <param name="config">The run.</param>
    /// <param name="lease">Whose device it is.</param>
    /// <param name="startVersion">Version of the weights in the run's folder; an adapter shares the lease's base weights where they are these. Null reads the folder.</param>
    /// <exception cref="CheckpointException">The folder cannot be used.</exception>
    /// <exception cref="InvalidOperationException">An adapter is to stand on other weights than those that are served.</exception>
    public static Policy Create(GrpoConfig config, ModelLease lease, string? startVersion)
    {
        using IDisposable noGrad = no_grad();
        Device device = lease.Device;
        ScalarType compute = ComputeDType.Select(config.DType, device);
        Decoder? decoder = null;
        Decoder? frozen = null;
        LoraAdapter? adapter = null;
        try
        {
            if (config.Lora is not GrpoLora lora)
            {
                decoder = CheckpointLoader.Load(config.Model, device, ScalarType.Float32);
                SetCompute(decoder, compute);
                if (config.Loss.KlCoefficient > 0)
                {
                    frozen = CheckpointLoader.Load(config.Model, device, FrozenDType(decoder.Config, compute));
                    SetCompute(frozen, compute);
                }

                return new Policy(config, decoder, frozen, null);
            }

            decoder = (startVersion == lease.BaseVersion ? Shared(lease, compute) : null) ?? CheckpointLoader.Load(config.Model, device, FrozenDType(ModelConfig.Load(config.Model), compute));
            SetCompute(decoder, compute);
            if (decoder.WeightVersion != lease.BaseVersion)
            {
                throw new InvalidOperationException($"The adapter's base {config.Model} has version {decoder.WeightVersion}, but the run's adapters would be served over version {lease.BaseVersion}; both must be the same weights.");
            }

            adapter = LoraAdapter.Create(decoder.Config, lora.Rank, lora.Alpha, lora.Targets, config.Seed, device);
            AdapterSelection selection = AdapterLinear.WrapAll(decoder);
            selection.SelectAll(adapter);
            return new Policy(config, decoder, null, (selection, adapter));
        }
        catch
        {
            adapter?.Dispose();
            frozen?.Dispose();
            decoder?.Dispose();
            throw;
        }
    }

    /// <summary>Dtype in which weights are kept that nobody changes: bf16 where nothing is lost by it.</summary>
    public static ScalarType FrozenDType(ModelConfig config, ScalarType compute) =>
        compute == ScalarType.BFloat16 && config.DeclaredDType == "bfloat16" ? ScalarType.BFloat16 : ScalarType.Float32;

    /// <summary>Log-probabilities under the frozen initial policy.</summary>
    public PassScores ScoreReference(PackedBatch batch, double temperature)
    {
        if (_selection is null)
        {
            return (_frozenPass ?? throw new InvalidOperationException("There is no reference policy.")).Score(batch, temperature);
        }

        _selection.SelectAll(null);
        try
        {
            return Pass.Score(batch, temperature);
        }
        finally
        {
            _selection.SelectAll(_adapter);
        }
    }

    /// <summary>Publishes the present weights or adapter.</summary>
    public Task<string> PublishAsync(ModelLease lease, CancellationToken cancellationToken) =>
        _adapter is null ? lease.PublishAsync(Parameters, cancellationToken) : lease.PublishAsync(_adapter, cancellationToken);

    /// <summary>Writes <c>model/</c>, merged where there is an adapter, and then <c>adapter/</c> beside it.</summary>
    /// <param name="output">The run's folder.</param>
    /// <param name="format">The chat format served.</param>
    /// <param name="baseName">What an adapter names as its base.</param>
    /// <returns>The model's folder.</returns>
    public string Export(string output, IChatFormat format, string baseName)
    {
        using IDisposable noGrad = no_grad();
        string folder = Path.Combine(output, "model");
        ScalarType dtype = DTypeSelector.Select(_config.ExportDType, _decoder.Config.DeclaredDType, CPU);
        ModelFolderWriter.Write(folder, _decoder.Config, [.. _decoder.NamedWeights().Select(item => (item.Name, item.Tensor.shape, (Func<Tensor>)(() => Merged(item.Name, item.Tensor))))], dtype, format, _config.Model);
        if (_adapter is not null)
        {
            PeftFolder.Write(Path.Combine(output, "adapter"), _adapter, _config.Lora!.Targets, baseName);
        }

        return folder;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Pass.Dispose();
        _frozenPass?.Dispose();
        foreach ((_, Tensor tensor) in Parameters)
        {
            tensor.grad?.Dispose();
        }

        _adapter?.Dispose();
        _frozen?.Dispose();
        _decoder.Dispose();
    }

    private Tensor Merged(string name, Tensor tensor) =>
        name.EndsWith(".weight", StringComparison.Ordinal) && _adapter?.Delta(name[..^".weight".Length]) is Tensor delta ? tensor.to_type(ScalarType.Float32).AddTensor(delta) : tensor;

    /// <summary>A decoder over the engine's own tensors, where they are as the trainer wants them.</summary>
    private static Decoder? Shared(ModelLease lease, ScalarType compute) =>
        lease.BaseWeights is { } weights && weights[ModelTensors.Embedding].dtype == FrozenDType(lease.Config, compute)
            ? new Decoder(lease.Config, name => weights[name].alias(), () => lease.BaseVersion)
            : null;

    private static void SetCompute(Decoder decoder, ScalarType compute)
    {
        foreach (Linear linear in decoder.Layers.SelectMany(layer => layer.Projections).Append(decoder.Head))
        {
            linear.ComputeDType = compute;
        }
    }
}
