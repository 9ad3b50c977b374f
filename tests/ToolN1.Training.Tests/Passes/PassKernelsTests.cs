using ToolN1.Engine.Kernels;
using ToolN1.Training.Passes;

namespace ToolN1.Training.Tests.Passes;

public sealed unsafe class PassKernelsTests
{
    private const int Keys = 64;

    [Fact]
    public void Softmax_OfScoresFarApart_HasNoDenormalShares_AndTheValuesOfDoublePrecision()
    {
        float[] scores = [.. Enumerable.Range(0, Keys).Select(i => -1.7f * i)];
        float[] shares = [.. scores];
        AttentionPiece piece = new(QuerySlot: 0, Queries: 1, ContextSlot: 0, ContextSlots: 0, Context: 0, KeySlot: 0, Keys);
        fixed (float* near = shares)
        {
            PassKernels<Float32Element>.Softmax(new RowParts(1), piece, [new SlotSight(0, Keys)], headsPerKey: 1, null, (byte*)near);
        }

        double sum = scores.Sum(score => Math.Exp(score));
        Assert.All(shares.Zip(scores), pair => Assert.Equal(Math.Exp(pair.Second) / sum, pair.First, 1e-7));
        Assert.All(shares, share => Assert.True(share == 0 || share > 1e-22f, $"{share:R}"));
        Assert.Contains(0f, shares);
    }

    [Fact]
    public void SoftmaxBack_OfTinyShares_HasNoGradientsThatAreNearlyDenormal_AndTheValuesOfDoublePrecision()
    {
        float[] shares = [.. Enumerable.Range(0, Keys).Select(i => MathF.Pow(2, -i))];
        float[] outer = [.. Enumerable.Range(0, Keys).Select(i => (i % 2 == 0 ? 1 : -1) * 3e-18f)];
        float[] gradients = [.. outer];
        float dot = 1e-18f;
        fixed (float* probabilities = shares, gradient = gradients)
        {
            PassKernels<Float32Element>.SoftmaxBack(new RowParts(1), 1, Keys, (byte*)probabilities, (byte*)gradient, &dot);
        }

        for (int i = 0; i < Keys; i++)
        {
            double expected = (double)shares[i] * ((double)outer[i] - dot);
            Assert.Equal(expected, gradients[i], Math.Max(1e-6 * Math.Abs(expected), 8e-31));
            Assert.True(gradients[i] == 0 || Math.Abs(gradients[i]) > 7e-31f, $"{gradients[i]:R}");
        }

        Assert.Contains(0f, gradients);
        Assert.Contains(gradients, value => value != 0);
    }
}
