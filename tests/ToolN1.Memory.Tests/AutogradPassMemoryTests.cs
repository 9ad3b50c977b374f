using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;
using ToolN1.Training.Grpo;
using ToolN1.Training.Packing;
using static TorchSharp.torch;

namespace ToolN1.Memory.Tests;

public sealed class AutogradPassMemoryTests
{
    [Fact]
    public void Accumulate_AdapterAndBatchesOfManySizes_KeepsNoCompiledProductsOfEach()
    {
        // oneDNN would keep some 26 products of 280 KiB for every number of rows.
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Asks glibc what is allocated.");
        Decoder decoder = RandomWeights.Create(EmbeddedModel.Shape, CPU, ScalarType.BFloat16, 1, 0.02);
        foreach (Linear linear in decoder.Layers.SelectMany(layer => layer.Projections).Append(decoder.Head))
        {
            linear.ComputeDType = ScalarType.BFloat16;
        }

        LoraAdapter adapter = LoraAdapter.Create(EmbeddedModel.Shape, rank: 16, alpha: 32, LoraAdapter.ProjectionNames, seed: 1, CPU);
        AdapterSelection selection = AdapterLinear.WrapAll(decoder);
        selection.SelectAll(adapter);
        using Policy policy = new(new GrpoConfig { Output = "o", Model = "m", Data = ["d"], Steps = 1, Lora = new GrpoLora() }, decoder, null, (selection, adapter));
        AutogradPolicyPass pass = Assert.IsType<AutogradPolicyPass>(policy.Pass);
        Accumulate(pass, 512);
        long before = Malloc.CollectedBytes();
        for (int tokens = 500; tokens > 385; tokens -= 10)
        {
            Accumulate(pass, tokens);
        }

        Assert.InRange(Malloc.CollectedBytes() - before, long.MinValue, 20 << 20);
    }

    private static void Accumulate(AutogradPolicyPass pass, int tokens)
    {
        int[] Ids(int count) => [.. Enumerable.Range(0, count)];
        PackedBatch batch = new([(new RowGroup(Ids(tokens - 100), [new RowRest([], Ids(100))]), 0)], 0, 0);
        Assert.Equal(tokens, batch.TokenCount);
        pass.Accumulate(batch, 1, wholeBatch: false, (_, logProbs) => [.. logProbs.Select(_ => 0.01f)]);
    }
}
