using System.Runtime.Intrinsics;
using ToolN1.Engine.Kernels;

namespace ToolN1.Engine.Tests.Kernels;

public sealed class VectorMathTests
{
    [Fact]
    public void Exp_WholeRange_IsAccurateAndZeroFarBelow()
    {
        for (float x = -87; x <= 88; x += 0.137f)
        {
            double expected = Math.Exp(x);
            Assert.InRange(VectorMath.Exp(Vector512.Create(x))[3] / expected, 1 - 4e-7, 1 + 4e-7);
        }

        Assert.Equal(0, VectorMath.Exp(Vector512.Create(-1000f))[0]);
        Assert.Equal(0, VectorMath.Exp(Vector512.Create(float.NegativeInfinity))[0]);
        Assert.Equal(1, VectorMath.Exp(Vector512.Create(0f))[0]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(9001)]
    public void SumExp_AnyLength_MatchesFloat64(int length)
    {
        float[] values = [.. Enumerable.Range(0, length).Select(i => MathF.Sin(i) * 10)];
        float max = VectorMath.Max(values);
        Assert.Equal(values.Max(), max);
        double expected = values.Sum(value => Math.Exp(((double)value - max) * 0.5));
        Assert.Equal(1, VectorMath.SumExp(values, max, 0.5f) / expected, 1e-5);
    }

    [Fact]
    public void CollectAtLeast_Threshold_IsInclusive()
    {
        float[] values = [.. Enumerable.Range(0, 37).Select(i => (float)(i % 5))];
        List<int> indices = [];
        VectorMath.CollectAtLeast(values, 4, indices);
        Assert.Equal([.. Enumerable.Range(0, 37).Where(i => i % 5 == 4)], indices);
    }
}
