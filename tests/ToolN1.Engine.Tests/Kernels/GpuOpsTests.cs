using ToolN1.Engine.Kernels;
using ToolN1.Engine.Model;
using static TorchSharp.torch;

namespace ToolN1.Engine.Tests.Kernels;

/// <summary>What a GPU computes in few launches, against the same by many; by libtorch on the CPU.</summary>
public sealed class GpuOpsTests
{
    [Theory]
    [InlineData(ScalarType.Float32, 1e-5)]
    [InlineData(ScalarType.BFloat16, 1.0 / 64)]
    public void RmsNorm_Rows_EqualsTheModelsOwn(ScalarType dtype, double tolerance)
    {
        using IDisposable scope = NewDisposeScope();
        using RmsNorm norm = new(randn(320).to_type(dtype).DetachFromDisposeScope(), 1e-6);
        Tensor input = (randn(5, 320) * 3).to_type(dtype);
        Tensor actual = GpuOps.RmsNorm(input, norm.Weight, norm.Epsilon);
        Assert.Equal(dtype, actual.dtype);
        Assert.True(actual.to_type(ScalarType.Float32).allclose(norm.Forward(input).to_type(ScalarType.Float32), tolerance, tolerance));
    }

    [Fact]
    public void Rotate_WideTables_EqualsHalfTables()
    {
        using IDisposable scope = NewDisposeScope();
        Tensor query = randn(9, 6, 64);
        Tensor key = randn(9, 2, 64);
        Tensor angles = randn(9, 1, 32);
        (Tensor wideCosine, Tensor wideSine) = RotaryEmbedding.Widen(angles.cos(), angles.sin());
        (Tensor expectedQuery, Tensor expectedKey) = RotaryEmbedding.Rotate(query, key, angles.cos(), angles.sin());
        (Tensor wideQuery, Tensor wideKey) = RotaryEmbedding.Rotate(query, key, wideCosine, wideSine);
        Assert.True(wideQuery.allclose(expectedQuery, 1e-5, 1e-6));
        Assert.True(wideKey.allclose(expectedKey, 1e-5, 1e-6));
    }
}
