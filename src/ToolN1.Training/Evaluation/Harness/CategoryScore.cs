namespace ToolN1.Training.Evaluation.Harness;

/// <summary>Cases and correct ones, with the 95 % interval of the accuracy (<see cref="WilsonInterval"/>).</summary>
public sealed record CategoryScore(int Cases, int Correct)
{
    /// <summary>Correct / cases; 0 without cases.</summary>
    public double Accuracy => Cases == 0 ? 0 : Interval.Rate;

    /// <summary>The interval's lower end, in 0..1; 0 without cases.</summary>
    public double Low => Cases == 0 ? 0 : Interval.Low;

    /// <summary>The interval's upper end, in 0..1; 1 without cases.</summary>
    public double High => Cases == 0 ? 1 : Interval.High;

    private WilsonInterval Interval => new(Correct, Cases);
}
