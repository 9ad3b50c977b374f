using ToolN1.Training.Grpo;

namespace ToolN1.Training.Tests.Grpo;

public sealed class AdvantagesTests
{
    [Theory]
    [InlineData(1e-6, 1, 1.095443, -0.730295)]
    [InlineData(1e-4, 1, 1.095245, -0.730163)]
    [InlineData(1e-6, 0, 1.224742, -0.816495)]
    public void Compute_TwoOfFiveRight_FollowsEachConvention(double epsilon, int lessDegrees, double right, double wrong) =>
        AssertAdvantages([right, wrong, wrong, right, wrong], Advantages.Compute([[1, 0, 0, 1, 0]], AdvantageScale.Group, epsilon, lessDegrees)[0]);

    [Theory]
    [InlineData(1e-6, 1, 1.788850, -0.447213)]
    [InlineData(1e-4, 1, 1.788454, -0.447114)]
    [InlineData(1e-6, 0, 1.999995, -0.499999)]
    public void Compute_OneOfFiveRight_FollowsEachConvention(double epsilon, int lessDegrees, double right, double wrong) =>
        AssertAdvantages([right, wrong, wrong, wrong, wrong], Advantages.Compute([[1, 0, 0, 0, 0]], AdvantageScale.Group, epsilon, lessDegrees)[0]);

    [Fact]
    public void Compute_PartialRewards_FollowsReferenceNumbers() => AssertAdvantages(
        [-0.415899, -0.415899, 1.663596, 0.103975, -0.935773], Advantages.Compute([[0.2, 0.2, 1, 0.4, 0]], AdvantageScale.Group, 1e-6)[0]);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(0.2, 2)]
    public void Compute_AllEqual_GivesZeros(double reward, int scale) => AssertAdvantages(
        [0, 0, 0, 0, 0], Advantages.Compute([[reward, reward, reward, reward, reward]], (AdvantageScale)scale, 1e-6)[0]);

    [Fact]
    public void Compute_NoScale_OnlyCentres()
    {
        AssertAdvantages([0.6, -0.4, -0.4, 0.6, -0.4], Advantages.Compute([[1, 0, 0, 1, 0]], AdvantageScale.None, 1e-6)[0]);
        AssertAdvantages([0.8, -0.2, -0.2, -0.2, -0.2], Advantages.Compute([[1, 0, 0, 0, 0]], AdvantageScale.None, 1e-6)[0]);
    }

    [Fact]
    public void Compute_BatchScale_DividesByTheDeviationOfAllRewards()
    {
        Assert.Equal(0.516398, Advantages.Deviation([1, 0, 0, 1, 0, 1, 1, 1, 1, 0], 1), 5e-7);
        double[][] advantages = Advantages.Compute([[1, 0, 0, 1, 0], [1, 1, 1, 1, 0]], AdvantageScale.Batch, 1e-4);
        AssertAdvantages([1.161670, -0.774447, -0.774447, 1.161670, -0.774447], advantages[0]);
        AssertAdvantages([0.387223, 0.387223, 0.387223, 0.387223, -1.548893], advantages[1]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Compute_NoGroup_GivesNothing(int scale) => Assert.Empty(Advantages.Compute([], (AdvantageScale)scale, 1e-6));

    [Fact]
    public void Compute_GroupOfOne_IsRefused() =>
        Assert.Throws<ArgumentException>(() => Advantages.Compute([[1]], AdvantageScale.Group, 1e-6));

    private static void AssertAdvantages(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], actual[i], 6e-7);
        }
    }
}
