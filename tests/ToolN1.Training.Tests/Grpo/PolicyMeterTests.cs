using ToolN1.Training.Grpo;

namespace ToolN1.Training.Tests.Grpo;

/// <summary>The reference numbers of the training specification: two responses of three and two tokens.</summary>
public sealed class PolicyMeterTests
{
    private const double Tolerance = 1e-6;

    [Fact]
    public void Add_ReferenceTokens_GivesTheReferenceFigures()
    {
        PolicyMeter meter = Measure(new PolicyLossOptions { ClipHigh = 0.2 });
        Assert.Equal((5, 1, 1), (meter.Tokens, meter.ClippedLow, meter.ClippedHigh));
        Assert.Equal(0.4, (double)(meter.ClippedLow + meter.ClippedHigh) / meter.Tokens, Tolerance);
        Assert.Equal(-0.018, meter.PolicyKl.Mean!.Value, Tolerance);
        Assert.Equal(0.104, meter.Gap.Mean!.Value, Tolerance);
        Assert.Equal(0.3, meter.Gap.Greatest!.Value, Tolerance);
        Assert.Equal(0.606531, meter.Ratio.Least!.Value, Tolerance);
        Assert.Equal(1.491825, meter.Ratio.Greatest!.Value, Tolerance);
    }

    [Theory]
    [InlineData(5, 0)]
    [InlineData(1.4, 1)]
    [InlineData(1, 2)]
    public void Add_Cispo_CountsWhatItsCapCuts_WhateverTheAdvantage(double cap, int cut)
    {
        PolicyMeter meter = Measure(new PolicyLossOptions { Objective = PolicyObjective.Cispo, CispoCap = cap });
        Assert.Equal((0, cut), (meter.ClippedLow, meter.ClippedHigh));
    }

    /// <summary>A meter that has seen them.</summary>
    internal static PolicyMeter Measure(PolicyLossOptions options)
    {
        double[] old = [-0.5, -1.2, -0.05, -2.0, -0.7];
        double[] now = [-0.2, -1.3, -0.06, -2.5, -0.3];
        double[] sampled = [-0.52, -1.1, -0.05, -2.3, -0.6];
        PolicyMeter meter = new();
        meter.Add(options, [.. Enumerable.Range(0, 5).Select(i => new TokenSample(
            (float)now[i], (float)old[i], (float)sampled[i], i < 3 ? 1.095443 : -0.730295, (float)Math.Exp(now[i] - old[i]), Kl: null, Importance: null))]);
        return meter;
    }
}
