using ToolN1.Engine.Kernels;
using static TorchSharp.torch;

namespace ToolN1.Engine.Model;

/// <summary>Low-rank additions to a decoder's projections: y += scale · (x Aᵀ) Bᵀ. Owns its tensors.</summary>
/// <remarks>LoRA, arXiv:2106.09685: scale = α / rank, A random, B zero at the start.</remarks>
public sealed class LoraAdapter : IDisposable
{
    private readonly Dictionary<string, (Tensor A, Tensor B)> _pairs;

    /// <summary>Takes ownership of the tensors.</summary>
    /// <param name="rank">Rows of every A.</param>
    /// <param name="alpha">Numerator of the scale.</param>
    /// <param name="pairs">A [rank, in] and B [out, rank] by projection, such as <c>model.layers.0.self_attn.q_proj</c>.</param>
    public LoraAdapter(int rank, double alpha, IReadOnlyDictionary<string, (Tensor A, Tensor B)> pairs)
    {
        Rank = rank;
        Alpha = alpha;
        _pairs = pairs.ToDictionary(pair => pair.Key, pair => (pair.Value.A.DetachFromDisposeScope(), pair.Value.B.DetachFromDisposeScope()), StringComparer.Ordinal);
    }

    /// <summary>The projections that may carry an adapter, as PEFT names them.</summary>
    public static IReadOnlyList<string> ProjectionNames { get; } = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

    /// <summary>Rows of every A.</summary>
    public int Rank { get; }

    /// <summary>Numerator of the scale.</summary>
    public double Alpha { get; }

    /// <summary>α / rank.</summary>
    public double Scale => Alpha / Rank;

    /// <summary>Every tensor, in order of projection: <c>PROJECTION.lora_A.weight</c> and <c>PROJECTION.lora_B.weight</c>.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> NamedTensors => _pairs.OrderBy(pair => pair.Key, StringComparer.Ordinal)
        .SelectMany(pair => new[] { (NameOfA(pair.Key), pair.Value.A), (NameOfB(pair.Key), pair.Value.B) });

    /// <summary>Names of the adapted projections.</summary>
    public IReadOnlyCollection<string> Projections => _pairs.Keys;

    /// <summary>A new adapter that changes nothing yet.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="rank">At least 1.</param>
    /// <param name="alpha">Numerator of the scale.</param>
    /// <param name="targets">Which of <see cref="ProjectionNames"/>, in every layer.</param>
    /// <param name="seed">Of the A matrices: uniform within ±√(1 / in) · √3, PEFT's Kaiming with a = √5.</param>
    /// <param name="device">Where the tensors go; f32.</param>
    public static LoraAdapter Create(ModelConfig config, int rank, double alpha, IReadOnlyCollection<string> targets, long seed, Device device)
    {
        using IDisposable scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using Generator generator = new((ulong)seed);
        Dictionary<string, (Tensor A, Tensor B)> pairs = [];
        foreach ((string name, long[] shape) in ModelTensors.Enumerate(config).Where(item => IsTarget(item.Name, targets)))
        {
            double bound = Math.Sqrt(1.0 / shape[1]);
            Tensor a = rand([rank, shape[1]], generator: generator).MultiplyNumber_(2 * bound).AddNumber_(-bound).to(device);
            pairs.Add(name[..^".weight".Length], (a, zeros([shape[0], rank], ScalarType.Float32, device)));
        }

        return new LoraAdapter(rank, alpha, pairs);
    }

    /// <summary>The parameters that an adapter would have.</summary>
    public static long CountParameters(ModelConfig config, int rank, IReadOnlyCollection<string> targets) =>
        ModelTensors.Enumerate(config).Where(item => IsTarget(item.Name, targets)).Sum(item => rank * (item.Shape[0] + item.Shape[1]));

    /// <summary>The pair of a projection, or null.</summary>
    public (Tensor A, Tensor B)? Find(string projection) => _pairs.TryGetValue(projection, out (Tensor, Tensor) pair) ? pair : null;

    /// <summary>The same adapter over other tensors, which it takes ownership of.</summary>
    /// <param name="tensors">One for each of <see cref="NamedTensors"/>, by name.</param>
    internal LoraAdapter Over(IReadOnlyDictionary<string, Tensor> tensors) => new(
        Rank, Alpha, _pairs.Keys.ToDictionary(projection => projection, projection => (tensors[NameOfA(projection)], tensors[NameOfB(projection)]), StringComparer.Ordinal));

    /// <summary>What the adapter adds to a projection's weight.</summary>
    /// <returns>[out, in], f32, in the current dispose scope; null where it adds nothing.</returns>
    public Tensor? Delta(string projection) => Find(projection) is (Tensor a, Tensor b) ? b.matmul(a).MultiplyNumber(Scale) : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach ((Tensor a, Tensor b) in _pairs.Values)
        {
            a.Dispose();
            b.Dispose();
        }
    }

    private static string NameOfA(string projection) => projection + ".lora_A.weight";

    private static string NameOfB(string projection) => projection + ".lora_B.weight";

    private static bool IsTarget(string name, IReadOnlyCollection<string> targets) =>
        name.StartsWith("model.layers.", StringComparison.Ordinal) && name.EndsWith(".weight", StringComparison.Ordinal)
        && targets.Contains(name.Split('.')[^2], StringComparer.Ordinal);
}
