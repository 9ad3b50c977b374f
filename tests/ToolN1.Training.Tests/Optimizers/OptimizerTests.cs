using ToolN1.Training.Optimizers;
using static TorchSharp.torch;

namespace ToolN1.Training.Tests.Optimizers;

public sealed class OptimizerTests
{
    [Fact]
    public void AdamW_OneParameter_FollowsReferenceNumbers()
    {
        using IDisposable scope = NewDisposeScope();
        Tensor parameter = ones([1, 1], ScalarType.Float64, requires_grad: true);
        using AdamW optimizer = new([("p", parameter)], learningRate: 0.01, weightDecay: 0.01);
        double[] gradients = [.5, -.25, .1];
        double[] expected = [0.989900000, 0.987137640, 0.983886491];
        for (int i = 0; i < gradients.Length; i++)
        {
            SetGradient(parameter, tensor(new[,] { { gradients[i] } }));
            optimizer.Step(1);
            Assert.Equal(expected[i], parameter.item<double>(), 1e-9);
        }
    }

    [Fact]
    public void AdamW_Vector_DoesNotDecay()
    {
        using IDisposable scope = NewDisposeScope();
        Tensor parameter = ones([3], ScalarType.Float64, requires_grad: true);
        using AdamW optimizer = new([("p", parameter)], learningRate: 0.1, weightDecay: 0.5);
        SetGradient(parameter, zeros([3], ScalarType.Float64));
        optimizer.Step(1);
        Assert.Equal([1, 1, 1], parameter.data<double>().ToArray());
    }

    [Fact]
    public void Clip_NormAboveMaximum_ScalesAllGradientsTogether()
    {
        using IDisposable scope = NewDisposeScope();
        Tensor first = zeros([2], ScalarType.Float64, requires_grad: true);
        Tensor second = zeros([1], ScalarType.Float64, requires_grad: true);
        SetGradient(first, tensor(new double[] { 3, 4 }));
        SetGradient(second, tensor(new double[] { 12 }));
        Assert.Equal(13, GradientClipping.Clip([first, second], 1), 1e-9);
        Assert.Equal([0.230769, 0.307692], first.grad!.data<double>().ToArray().Select(value => Math.Round(value, 6)));
        Assert.Equal(0.923077, second.grad!.item<double>(), 1e-6);
    }

    [Fact]
    public void Clip_NonFiniteGradient_IsReportedAndNothingScaled()
    {
        using IDisposable scope = NewDisposeScope();
        Tensor parameter = zeros([2], requires_grad: true);
        SetGradient(parameter, tensor(new[] { 5f, float.NaN }));
        Assert.False(double.IsFinite(GradientClipping.Clip([parameter], 1)));
        Assert.Equal(5, parameter.grad![0].item<float>());
    }

    [Fact]
    public void Orthogonalize_RandomMatrices_HaveSingularValuesNearOne()
    {
        using IDisposable scope = NewDisposeScope();
        using Generator generator = new(7);
        Tensor values = linalg.svdvals(Muon.Orthogonalize(randn([3, 16, 48], generator: generator)));
        Assert.InRange(values.min().item<float>(), 0.3, 1.3);
        Assert.InRange(values.max().item<float>(), 0.6, 1.3);
        Assert.InRange(values.mean().item<float>(), 0.75, 1.15);
    }

    [Fact]
    public void Muon_TallMatrix_MovesByAScaledOrthogonalMatrix()
    {
        using IDisposable scope = NewDisposeScope();
        using Generator generator = new(7);
        Tensor parameter = zeros([64, 16], requires_grad: true);
        using Muon optimizer = new([("p", parameter)], learningRate: 0.1);
        SetGradient(parameter, randn([64, 16], generator: generator));
        optimizer.Step(0.5);
        using IDisposable noGrad = no_grad();

        // √(64 / 16) = 2, so singular values lie near 0.1 × 0.5 × 2.
        Tensor values = linalg.svdvals(parameter);
        Assert.InRange(values.mean().item<float>(), 0.075, 0.115);
        Assert.True((parameter * parameter.grad!).sum().item<float>() < 0, "The step must go against the gradient.");
    }

    private static void SetGradient(Tensor parameter, Tensor gradient)
    {
        parameter.grad?.zero_();
        (parameter * gradient).sum().backward();
    }
}
