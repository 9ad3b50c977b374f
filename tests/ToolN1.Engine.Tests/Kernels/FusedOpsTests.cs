using ToolN1.Engine.Kernels;
using ToolN1.Engine.Model;
using static TorchSharp.torch;

namespace ToolN1.Engine.Tests.Kernels;

/// <summary>The fused passes against the same layers by libtorch, which run outside inference mode.</summary>
public sealed class FusedOpsTests
{
    public static TheoryData<ScalarType, int> Cases => new()
    {
        { ScalarType.Float32, 1 },
        { ScalarType.Float32, 300 },
        { ScalarType.BFloat16, 3 },
        { ScalarType.BFloat16, 300 },
    };

    private static double Tolerance(ScalarType dtype) => dtype == ScalarType.Float32 ? 1e-5 : 1.0 / 64;

    private static void AssertSame(ScalarType dtype, Func<Tensor> compute)
    {
        Tensor expected = compute();
        using IDisposable inference = inference_mode();
        Tensor fused = compute();
        Assert.Equal(expected.dtype, fused.dtype);
        Assert.Equal(expected.shape, fused.shape);
        Assert.True(fused.to_type(ScalarType.Float32).allclose(expected.to_type(ScalarType.Float32), Tolerance(dtype), Tolerance(dtype)));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void RmsNorm_InferenceMode_EqualsTheUnfused(ScalarType dtype, int rows)
    {
        using IDisposable scope = NewDisposeScope();
        using RmsNorm norm = new(randn(320).to_type(dtype).DetachFromDisposeScope(), 1e-6);
        Tensor input = (randn(rows, 320) * 3).to_type(dtype);
        AssertSame(dtype, () => norm.Forward(input));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Rotate_InferenceMode_EqualsTheUnfused(ScalarType dtype, int tokens)
    {
        using IDisposable scope = NewDisposeScope();
        Tensor states = randn(tokens, 7, 64).to_type(dtype);
        Tensor angles = randn(tokens, 1, 32);
        AssertSame(dtype, () => RotaryEmbedding.Rotate(states, angles.cos().to_type(dtype), angles.sin().to_type(dtype)));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void SwiGlu_InferenceMode_EqualsTheUnfused(ScalarType dtype, int rows)
    {
        using IDisposable scope = NewDisposeScope();
        Tensor gate = (randn(rows, 400) * 20).to_type(dtype);
        Tensor up = randn(rows, 400).to_type(dtype);
        AssertSame(dtype, () => FusedOps.SwiGlu(gate, up) ?? nn.functional.silu(gate) * up);
    }

    [Fact]
    public void RmsNorm_OutsideInferenceMode_LetsGradientsFlow()
    {
        using IDisposable scope = NewDisposeScope();
        using RmsNorm norm = new(ones(32).DetachFromDisposeScope(), 1e-6);
        Tensor input = randn([2, 32], requires_grad: true);
        norm.Forward(input).sum().backward();
        Assert.NotNull(input.grad);
    }
}
