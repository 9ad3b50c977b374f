using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training.Planning;

/// <summary>Puts a plan together, with what the ways to train have in common.</summary>
/// <param name="model">The model's shape.</param>
/// <param name="device">Where the run is to be; need not be there.</param>
internal sealed class MemoryLedger(ModelConfig model, Device device)
{
    // What a process of ours takes beyond what is counted here, with libtorch loaded, a run's code compiled and some thousand rows read: measured.
    private const long CpuProcess = 330L << 20;
    private const long CudaProcess = 700L << 20;

    // The same of a server at the end of a job, whose web server, database and collector are in it too: measured.
    private const long CpuServer = 530L << 20;

    // What the tokenizer keeps of each entry of its vocabulary: measured with Qwen2.5's.
    private const long TokenizerEntryBytes = 480;

    // Compiled products stay where they were made, between tensors that come and go: as many bytes again, and this share of what comes and goes,
    // were measured to be free and of no use. f32 products, which are not compiled one by one, leave no such gaps, but for autograd's.
    private const double FragmentShare = 0.5;

    private readonly List<MemoryItem> _items = [];

    /// <summary>Bytes of an element.</summary>
    public static int Size(ScalarType dtype) => dtype == ScalarType.Float32 ? 4 : 2;

    /// <summary>Elements of a model's largest tensor.</summary>
    public static long LargestTensor(ModelConfig model) => ModelTensors.Enumerate(model).Max(tensor => Elements(tensor.Shape));

    /// <summary>Elements of a tensor.</summary>
    public static long Elements(long[] shape) => shape.Aggregate(1L, (product, size) => product * size);

    /// <summary>The plan.</summary>
    public MemoryPlan ToPlan() => new([.. _items]);

    /// <summary>Notes bytes; none are not worth a line.</summary>
    public void Add(string kind, string what, long bytes)
    {
        if (bytes > 0)
        {
            _items.Add(new MemoryItem(kind, what, bytes));
        }
    }

    /// <summary>What any run takes.</summary>
    /// <param name="isServer">Whether it is a server's job.</param>
    public void AddProcess(bool isServer)
    {
        (string what, long bytes) = device.type == DeviceType.CUDA ? ("the GPU's context, kernels and libraries' workspaces", CudaProcess)
            : isServer ? ("runtime, libtorch, web server, database and compiled code", CpuServer)
            : ("runtime, libtorch and compiled code", CpuProcess);
        Add("process", what, bytes);
        Add("tokenizer", $"{model.VocabularySize:N0} entries", device.type == DeviceType.CUDA ? 0 : model.VocabularySize * TokenizerEntryBytes);
    }

    /// <summary>What an engine takes: what is live, and the cache.</summary>
    /// <param name="options">Its limits.</param>
    /// <param name="serving">Its dtype.</param>
    /// <param name="isFirstLive">Whether the model that it was started with is live; otherwise both are in memory.</param>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">The limits contradict the model.</exception>
    public void AddEngine(EngineOptions options, ScalarType serving, bool isFirstLive)
    {
        EnginePlan engine = EnginePlan.Create(options, model, serving, device);
        long weights = ModelTensors.CountParameters(model) * Size(serving);
        Add("serving_weights", $"{serving}", weights);
        Add("first_weights", $"the model that the server was started with, which stays beside the promoted one, {serving}", isFirstLive ? 0 : weights);
        Add("kv_cache", $"{engine.Blocks * engine.BlockSize:N0} tokens", (long)engine.Blocks * engine.BlockSize * model.KeyValueBytesPerToken(Size(serving)));
        Add("sampling", $"logits of {engine.MaxSequences:N0} sequences, f32", (long)engine.MaxSequences * model.VocabularySize * 4);
    }

    /// <summary>Micro-batches whose derivatives are written out.</summary>
    /// <param name="pass">One of them.</param>
    /// <param name="weights">Bytes of weights that are fused or rounded for the passes.</param>
    /// <param name="compute">Dtype of the products.</param>
    /// <param name="longest">Tokens of a row up to which attention is counted on to meet every length.</param>
    /// <param name="recomputes">Whether layers are computed again on the way back.</param>
    /// <param name="batches">Micro-batches of the whole run.</param>
    /// <param name="lanes">Micro-batches at once.</param>
    public void AddWrittenPass(WrittenPassMemory pass, long weights, ScalarType compute, long longest, bool recomputes, double batches, int lanes = 1)
    {
        long kernels = WrittenPassMemory.Kernels(compute, pass.Tokens, longest);
        double met = CompiledProducts.Met(batches);
        long activations = pass.Layer * (recomputes ? 1 : model.Layers);
        Add("product_weights", $"fused or rounded for the passes, {compute}", weights);
        Add("product_kernels", "compiled products that oneDNN keeps, by shape", (long)(met * kernels));
        Add("layer_inputs", Tokens(pass.Tokens, lanes), lanes * pass.LayerInputs);
        Add("activations", Activations(recomputes), lanes * activations);
        Add("working", "a layer's gradients, or a piece's logits", lanes * pass.Working);
        Add("fragments", "free heap between compiled products, where nothing else fits: measured", kernels == 0 ? 0 : (long)(met * (kernels + (lanes * FragmentShare * (pass.LayerInputs + activations + pass.Working)))));
    }

    /// <summary>A micro-batch that goes through autograd.</summary>
    /// <param name="pass">It.</param>
    /// <param name="recomputes">Whether layers are computed again on the way back.</param>
    /// <param name="batches">Micro-batches of the whole run.</param>
    public void AddAutogradPass(AutogradPassMemory pass, bool recomputes, double batches)
    {
        bool isGpu = device.type == DeviceType.CUDA;
        long kernels = isGpu ? 0 : (long)(CompiledProducts.Met(batches) * pass.Kernels);
        long inputs = recomputes ? pass.LayerInputs : 0;
        long activations = pass.Layer * (recomputes ? 1 : model.Layers);
        Add("product_kernels", "compiled products that oneDNN keeps, by shape", kernels);
        Add("layer_inputs", Tokens(pass.Tokens, 1), inputs);
        Add("activations", recomputes ? Activations(recomputes) : $"{Activations(recomputes)}, {Tokens(pass.Tokens, 1)}", activations);
        Add("fragments", "free heap between tensors and compiled products, where nothing else fits: measured", isGpu ? 0 : kernels + (long)(FragmentShare * (pass.LayerInputs + pass.Layer)));
        Add("logits", "a piece's logits, log-probabilities and gradients, f32, and the head's cast", pass.Logits);
    }

    private static string Tokens(long tokens, int lanes) => lanes == 1 ? $"{tokens:N0} tokens" : $"{lanes} × {tokens:N0} tokens";

    private string Activations(bool recomputes) => recomputes ? "of one layer, computed again" : $"of {model.Layers} layers";
}
