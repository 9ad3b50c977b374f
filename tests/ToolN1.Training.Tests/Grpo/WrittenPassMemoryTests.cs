using System.Runtime.InteropServices;
using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;
using ToolN1.Training.Grpo;
using ToolN1.Training.Packing;
using ToolN1.Training.Passes;
using static TorchSharp.torch;

namespace ToolN1.Training.Tests.Grpo;

/// <summary>Alone, because what other tests allocate would be counted.</summary>
[CollectionDefinition(nameof(WrittenPassMemoryTests), DisableParallelization = true)]
[Collection(nameof(WrittenPassMemoryTests))]
public sealed partial class WrittenPassMemoryTests
{
    [Theory]
    [InlineData("float32")]
    [InlineData("bfloat16")]
    public void Create_WrittenOutPass_IsWhatAPassWasMeasuredToTake(string dtype)
    {
        // Prompts and responses half as long as they may be.
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Asks glibc what is allocated.");
        ModelConfig model = new()
        {
            Architecture = ModelArchitecture.Qwen2,
            HiddenSize = 256,
            IntermediateSize = 704,
            Layers = 6,
            Heads = 4,
            KeyValueHeads = 2,
            HeadDim = 64,
            VocabularySize = 2560,
            RmsNormEpsilon = 1e-6,
            RopeTheta = 10000,
            MaxPositionEmbeddings = 1024,
            TieWordEmbeddings = true,
            QkvBias = true,
            QkNorm = false,
            DeclaredDType = "float32",
        };
        GrpoConfig config = new()
        {
            Output = "o",
            Model = "m",
            Data = ["d"],
            Steps = 1,
            DType = dtype,
            MaxPromptTokens = 640,
            MaxResponseTokens = 160,
            GroupSize = 8,
            MicroBatchTokens = 4800,
            RecomputeActivations = false,
        };
        GrpoMemoryPlan keeping = GrpoMemoryPlan.Create(config, model, CPU);
        GrpoMemoryPlan recomputing = GrpoMemoryPlan.Create(config with { RecomputeActivations = true }, model, CPU);
        Assert.DoesNotContain(keeping.Items, item => item.Kind is "overhead" or "logits");
        Assert.Equal(Of(keeping, "activations"), 6 * Of(recomputing, "activations"));

        using Decoder decoder = RandomWeights.Create(model, CPU, ScalarType.Float32, 1, 0.02);
        using DecoderPass pass = DecoderPass.Create(decoder, dtype == "float32" ? ScalarType.Float32 : ScalarType.BFloat16);
        pass.LoadWeights();
        int[] Ids(int count) => [.. Enumerable.Range(0, count)];
        PackedBatch batch = new([.. Enumerable.Range(0, 5).Select(_ => (new RowGroup(Ids(320), [.. Enumerable.Range(0, 8).Select(_ => new RowRest([], Ids(80)))]), 0))], 0, 0);
        Assert.Equal(4800, batch.TokenCount);

        // The whole tape lives when the loss is asked for its derivative.
        long before = AllocatedBytes();
        long during = 0;
        pass.Accumulate(batch, 1, wholeBatch: false, (_, logProbs) =>
        {
            during = Math.Max(during, AllocatedBytes());
            return new float[logProbs.Length];
        });
        double planned = Of(keeping, "layer_inputs") + Of(keeping, "activations") + Of(keeping, "working");
        Assert.InRange((during - before) / planned, 0.9, 1.1);
    }

    private static long Of(GrpoMemoryPlan plan, string kind) => plan.Items.Where(item => item.Kind == kind).Sum(item => item.Bytes);

    /// <summary>What malloc has given out, in arenas and as mappings.</summary>
    private static long AllocatedBytes()
    {
        MallInfo info = ReadMallInfo();
        return (long)(info.UsedBytes + info.MappedBytes);
    }

    [LibraryImport("libc", EntryPoint = "mallinfo2")]
    private static partial MallInfo ReadMallInfo();

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct MallInfo
    {
        private readonly nuint _arena;
        private readonly nuint _freeChunks;
        private readonly nuint _fastBins;
        private readonly nuint _mappings;
        public readonly nuint MappedBytes;
        private readonly nuint _unused;
        private readonly nuint _fastBytes;
        public readonly nuint UsedBytes;
        private readonly nuint _freeBytes;
        private readonly nuint _top;
    }
}
