using System.Runtime.InteropServices;
using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;
using ToolN1.TestSupport;
using static TorchSharp.torch;

namespace ToolN1.Memory.Tests;

public sealed partial class LoadingMemoryTests
{
    [Theory]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float32)]
    public void Load_LargeCheckpoint_PeaksBelow115PercentOfTheWeights(ScalarType dtype)
    {
        Assert.SkipUnless(CanResetPeak(), "The peak of a process can be reset on Linux only.");
        using TemporaryFolder folder = new("loading");
        ModelConfig config = ModelConfig.Load(TinyCheckpoint.Write(folder.Path)) with { HiddenSize = 1024, IntermediateSize = 4096, Layers = 2, VocabularySize = 60_000, Heads = 16, HeadDim = 64 };
        WriteZeros(config, folder.Path);

        // What earlier tests freed goes back to the kernel now: the loader must not get it without growing the process, nor the
        // collector give it back while the loader grows.
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        _ = TrimAllocator(0);
        long weights = ModelTensors.CountParameters(config) * (dtype == ScalarType.Float32 ? 4 : 2);
        File.WriteAllText("/proc/self/clear_refs", "5");
        long before = Status("VmRSS");
        using Decoder decoder = CheckpointLoader.Load(folder.Path, CPU, dtype);
        double peak = (double)(Status("VmHWM") - before) / weights;

        // The lower bound only tells that something was measured: other threads' memory may still shrink meanwhile.
        Assert.InRange(peak, 0.5, 1.15);
    }

    private static void WriteZeros(ModelConfig config, string folder)
    {
        config.Save(folder, "bfloat16");
        using SafetensorsWriter writer = new(Path.Combine(folder, "model.safetensors"), ModelTensors.Enumerate(config).Select(tensor => (tensor.Name, ScalarType.BFloat16, tensor.Shape)));
        foreach ((_, long[] shape) in ModelTensors.Enumerate(config))
        {
            using Tensor tensor = zeros(shape, ScalarType.BFloat16);
            writer.Write(tensor);
        }

        writer.Commit();
    }

    private static bool CanResetPeak()
    {
        try
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int TrimAllocator(nint padding);

    private static long Status(string field) =>
        long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith(field + ":", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) * 1024;
}
