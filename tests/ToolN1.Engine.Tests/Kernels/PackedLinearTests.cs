using ToolN1.Engine.Kernels;
using ToolN1.Engine.Model;
using static TorchSharp.torch;

namespace ToolN1.Engine.Tests.Kernels;

public sealed class PackedLinearTests
{
    [Theory]
    [InlineData(1, 64, 96, true)]
    [InlineData(2, 48, 40, false)]
    [InlineData(7, 33, 32, true)]
    [InlineData(16, 80, 7, true)]
    [InlineData(150, 64, 1000, false)]
    public void Forward_AnyShape_EqualsTheFloat32ProductRoundedOnce(int rows, int inputs, int outputs, bool hasBias)
    {
        using WorkerPool workers = new(3);
        using IDisposable scope = NewDisposeScope();
        Generator generator = new(3, CPU);
        Tensor weight = randn([outputs, inputs], generator: generator).to_type(ScalarType.BFloat16);
        Tensor? bias = hasBias ? randn([outputs], generator: generator).to_type(ScalarType.BFloat16) : null;
        Tensor input = randn([rows, inputs], generator: generator).to_type(ScalarType.BFloat16);
        Tensor expected = nn.functional.linear(
            input.to_type(ScalarType.Float32), weight.to_type(ScalarType.Float32), bias?.to_type(ScalarType.Float32));
        PackedLinear Packed(ScalarType dtype, bool wideResult) => PackedLinear.Pack(
            new Linear(Copy(weight, dtype), bias is null ? null : Copy(bias, dtype)), wideResult, workers);
        using PackedLinear rounded = Packed(ScalarType.BFloat16, wideResult: false);
        using PackedLinear wide = Packed(ScalarType.BFloat16, wideResult: true);
        using PackedLinear float32 = Packed(ScalarType.Float32, wideResult: false);
        Tensor wideInput = input.to_type(ScalarType.Float32);

        Assert.True(float32.Forward(wideInput).equal(wide.Forward(input)).all().item<bool>());
        Assert.True(wide.Forward(input).allclose(expected, 1e-5, 1e-4));
        Assert.True(rounded.Forward(input).equal(wide.Forward(input).to_type(ScalarType.BFloat16)).all().item<bool>());
    }

    [Fact]
    public void Forward_RowAmongOthers_IsTheSameToTheLastBit()
    {
        using WorkerPool workers = new(2);
        using IDisposable scope = NewDisposeScope();
        using PackedLinear packed = PackedLinear.Pack(
            new Linear(Copy(randn([100, 96]), ScalarType.BFloat16), null), wideResult: true, workers);
        Tensor input = randn([77, 96]).to_type(ScalarType.BFloat16);
        Tensor together = packed.Forward(input);
        for (int row = 0; row < 77; row++)
        {
            Assert.True(packed.Forward(input.narrow(0, row, 1)).equal(together.narrow(0, row, 1)).all().item<bool>());
        }
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Rows_PackedInPlace_GivesTheWeightsBack(ScalarType dtype)
    {
        using WorkerPool workers = new(2);
        using IDisposable scope = NewDisposeScope();
        Tensor weight = randn([64, 48]).to_type(dtype);
        using Linear plain = new(Copy(weight, dtype), null);
        using PackedLinear packed = PackedLinear.Pack(plain, wideResult: true, workers);
        Assert.Same(plain.Weight, packed.Weight);
        Tensor ids = tensor((long[])[63, 0, 17, 40, 17]);
        Assert.True(packed.Rows(ids).equal(weight.index_select(0, ids)).all().item<bool>());
    }

    private static Tensor Copy(Tensor tensor, ScalarType dtype) => tensor.to(dtype, copy: true).DetachFromDisposeScope();
}
