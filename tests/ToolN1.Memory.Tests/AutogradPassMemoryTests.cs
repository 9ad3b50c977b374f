using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;
using ToolN1.Training.Grpo;
using ToolN1.Training.Packing;
using ToolN1.Training.Sft;
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

    [Fact]
    public void Step_QueryAndKeyNormsAndBatchesOfManySizes_KeepsNoCompiledProductsOfEach()
    {
        // What the pass with written-out derivatives does not take; 15 products for every number of rows.
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Asks glibc what is allocated.");
        ModelConfig shape = EmbeddedModel.Shape with { Architecture = ModelArchitecture.Qwen3, QkNorm = true, QkvBias = false };
        using Decoder decoder = RandomWeights.Create(shape, CPU, ScalarType.Float32, 1, 0.02);
        foreach ((_, Tensor weight) in decoder.NamedWeights())
        {
            weight.requires_grad = true;
        }

        SftConfig config = new() { Output = "o", Init = new SftInit { From = "m" }, Phases = [new SftPhase { Name = "p", Data = ["d"], Steps = 1 }], DType = "bfloat16" };
        using SftStepper stepper = new(config, decoder);
        void Step(int tokens) => stepper.Step([Group(tokens)], seed: 1, scheduleFactor: 1);
        Step(512);
        long before = Malloc.CollectedBytes();
        for (int tokens = 500; tokens > 385; tokens -= 10)
        {
            Step(tokens);
        }

        Assert.InRange(Malloc.CollectedBytes() - before, long.MinValue, 20 << 20);
    }

    private static RowGroup Group(int tokens)
    {
        int[] Ids(int count) => [.. Enumerable.Range(0, count)];
        return new RowGroup(Ids(tokens - 100), [new RowRest([], Ids(100))]);
    }

    private static void Accumulate(AutogradPolicyPass pass, int tokens)
    {
        PackedBatch batch = new([(Group(tokens), 0)], 0, 0);
        Assert.Equal(tokens, batch.TokenCount);
        pass.Accumulate(batch, 1, wholeBatch: false, (_, logProbs) => [.. logProbs.Select(_ => 0.01f)]);
    }
}
