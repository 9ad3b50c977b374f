using ToolN1.Engine.Kernels;
using ToolN1.Engine.Model;
using static TorchSharp.torch;

namespace ToolN1.Engine.Tests.Kernels;

public sealed class PackedLinearTests
{
    public static TheoryData<string, int, int, int, bool> Shapes
    {
        get
        {
            TheoryData<string, int, int, int, bool> data = [];
            foreach (string kernel in PanelKernels.BFloat16)
            {
                data.Add(kernel, 1, 64, 96, true);
                data.Add(kernel, 2, 48, 40, false);
                data.Add(kernel, 7, 33, 32, true);
                data.Add(kernel, 16, 80, 7, true);
                data.Add(kernel, 29, 70, 64, false);
                data.Add(kernel, 150, 64, 1000, false);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Forward_AnyShape_EqualsTheFloat32ProductRoundedOnce(string kernel, int rows, int inputs, int outputs, bool hasBias)
    {
        using WorkerPool workers = new(3);
        using IDisposable scope = NewDisposeScope();
        Generator generator = new(3, CPU);
        Tensor weight = randn([outputs, inputs], generator: generator).to_type(ScalarType.BFloat16);
        Tensor? bias = hasBias ? randn([outputs], generator: generator).to_type(ScalarType.BFloat16) : null;
        Tensor input = randn([rows, inputs], generator: generator).to_type(ScalarType.BFloat16);
        Tensor expected = nn.functional.linear(
            input.to_type(ScalarType.Float32), weight.to_type(ScalarType.Float32), bias?.to_type(ScalarType.Float32));
        PackedLinear Packed(ScalarType dtype, PanelKernel with, bool wideResult) => PackedLinear.Pack(
            new Linear(Copy(weight, dtype), bias is null ? null : Copy(bias, dtype)), with, wideResult, workers);
        using PackedLinear rounded = Packed(ScalarType.BFloat16, PanelKernels.Get(kernel), wideResult: false);
        using PackedLinear wide = Packed(ScalarType.BFloat16, PanelKernels.Get(kernel), wideResult: true);
        using PackedLinear float32 = Packed(ScalarType.Float32, PanelKernels.Get(PanelKernels.Float32), wideResult: false);

        Assert.True(float32.Forward(input.to_type(ScalarType.Float32)).allclose(expected, 1e-5, 1e-4));
        Assert.True(wide.Forward(input).allclose(expected, 1e-5, 1e-4));
        Assert.True(rounded.Forward(input).equal(wide.Forward(input).to_type(ScalarType.BFloat16)).all().item<bool>());
    }

    [Fact]
    public void Forward_DotProducts_AreMultiplyAddsInFloat32SecondOfEachPairFirst()
    {
        using WorkerPool workers = new(1);
        using IDisposable scope = NewDisposeScope();
        using PackedLinear packed = PackedLinear.Pack(
            new Linear(Copy(randn([32, 50]), ScalarType.BFloat16), null), PanelKernels.Get(PanelKernels.DotProduct), wideResult: true, workers);
        Tensor weight = packed.Rows(arange(32, dtype: ScalarType.Int64)).to_type(ScalarType.Float32);
        Tensor input = randn([1, 50]).to_type(ScalarType.BFloat16);
        float[] x = input.to_type(ScalarType.Float32).data<float>().ToArray();
        float[] w = weight.data<float>().ToArray();
        float[] expected = new float[32];
        for (int output = 0; output < 32; output++)
        {
            for (int pair = 0; pair < 50; pair += 2)
            {
                expected[output] = MathF.FusedMultiplyAdd(w[(output * 50) + pair + 1], x[pair + 1], expected[output]);
                expected[output] = MathF.FusedMultiplyAdd(w[(output * 50) + pair], x[pair], expected[output]);
            }
        }

        Assert.Equal(expected, packed.Forward(input).data<float>().ToArray());
    }

    [Fact]
    public void Forward_Tiles_SumEvenAndOddInputsApartIn32s()
    {
        const int Inputs = 112;
        using WorkerPool workers = new(1);
        using IDisposable scope = NewDisposeScope();
        using PackedLinear packed = PackedLinear.Pack(
            new Linear(Copy(randn([32, Inputs]), ScalarType.BFloat16), null), PanelKernels.Get(PanelKernels.Tiles), wideResult: true, workers);
        float[] w = packed.Rows(arange(32, dtype: ScalarType.Int64)).to_type(ScalarType.Float32).data<float>().ToArray();
        Tensor input = randn([1, Inputs]).to_type(ScalarType.BFloat16);
        float[] x = input.to_type(ScalarType.Float32).data<float>().ToArray();
        float[] expected = new float[32];
        for (int output = 0; output < 32; output++)
        {
            for (int step = 0; step < Inputs; step += 32)
            {
                float even = 0;
                float odd = 0;
                for (int i = step; i < Math.Min(step + 32, Inputs); i += 2)
                {
                    even = MathF.FusedMultiplyAdd(w[(output * Inputs) + i], x[i], even);
                    odd = MathF.FusedMultiplyAdd(w[(output * Inputs) + i + 1], x[i + 1], odd);
                }

                expected[output] += even + odd;
            }
        }

        Assert.Equal(expected, packed.Forward(input).data<float>().ToArray());
    }

    [Theory]
    [MemberData(nameof(PanelKernels.All), MemberType = typeof(PanelKernels))]
    public void Forward_RowAmongOthers_IsTheSameToTheLastBit(string name)
    {
        using WorkerPool workers = new(2);
        using IDisposable scope = NewDisposeScope();
        PanelKernel kernel = PanelKernels.Get(name);
        ScalarType dtype = PanelKernels.DTypeOf(name);
        using PackedLinear packed = PackedLinear.Pack(new Linear(Copy(randn([100, 98]), dtype), null), kernel, wideResult: true, workers);
        Tensor input = randn([77, 98]).to_type(dtype);
        Tensor one = packed.Forward(input.narrow(0, 0, 1));
        for (int rows = 1; rows <= 77; rows++)
        {
            Tensor together = packed.Forward(input.narrow(0, 0, rows));
            Tensor last = packed.Forward(input.narrow(0, rows - 1, 1));
            Assert.True(together.narrow(0, 0, 1).equal(one).all().item<bool>());
            Assert.True(together.narrow(0, rows - 1, 1).equal(last).all().item<bool>());
        }
    }

    [Theory]
    [MemberData(nameof(PanelKernels.All), MemberType = typeof(PanelKernels))]
    public void ForwardWith_SeveralProjections_EqualsEachAlone(string name)
    {
        using WorkerPool workers = new(2);
        using IDisposable scope = NewDisposeScope();
        ScalarType dtype = PanelKernels.DTypeOf(name);
        PackedLinear Random(int outputs) => PackedLinear.Pack(
            new Linear(Copy(randn([outputs, 64]), dtype), Copy(randn([outputs]), dtype)), PanelKernels.Get(name), wideResult: false, workers);
        using PackedLinear first = Random(100);
        using PackedLinear second = Random(32);
        using PackedLinear third = Random(7);
        Tensor input = randn([70, 64]).to_type(dtype);
        Tensor[] together = first.ForwardWith(input, second, third);
        Assert.Equal(3, together.Length);
        Assert.True(together[0].equal(first.Forward(input)).all().item<bool>());
        Assert.True(together[1].equal(second.Forward(input)).all().item<bool>());
        Assert.True(together[2].equal(third.Forward(input)).all().item<bool>());
    }

    [Theory]
    [MemberData(nameof(PanelKernels.All), MemberType = typeof(PanelKernels))]
    public void ForwardGated_TwoProjections_EqualsTheSwiGluOfTheirProducts(string name)
    {
        using WorkerPool workers = new(2);
        using IDisposable scope = NewDisposeScope();
        using IDisposable inference = inference_mode();
        ScalarType dtype = PanelKernels.DTypeOf(name);
        PackedLinear Random() => PackedLinear.Pack(new Linear(Copy(randn([96, 64]), dtype), null), PanelKernels.Get(name), wideResult: false, workers);
        using PackedLinear gate = Random();
        using PackedLinear up = Random();
        Tensor input = randn([60, 64]).to_type(dtype);
        Tensor expected = FusedOps.SwiGlu(gate.Forward(input), up.Forward(input))!;
        Assert.True(gate.ForwardGated(input, up).equal(expected).all().item<bool>());
    }

    [Theory]
    [MemberData(nameof(PanelKernels.All), MemberType = typeof(PanelKernels))]
    public void Rows_PackedInPlace_GivesTheWeightsBack(string name)
    {
        using WorkerPool workers = new(2);
        using IDisposable scope = NewDisposeScope();
        ScalarType dtype = PanelKernels.DTypeOf(name);
        Tensor weight = randn([64, 64]).to_type(dtype);
        using Linear plain = new(Copy(weight, dtype), null);
        using PackedLinear packed = PackedLinear.Pack(plain, PanelKernels.Get(name), wideResult: true, workers);
        Assert.Same(plain.Weight, packed.Weight);
        Tensor ids = tensor((long[])[63, 0, 17, 40, 17]);
        Assert.True(packed.Rows(ids).equal(weight.index_select(0, ids)).all().item<bool>());
    }

    private static Tensor Copy(Tensor tensor, ScalarType dtype) => tensor.to(dtype, copy: true).DetachFromDisposeScope();
}
