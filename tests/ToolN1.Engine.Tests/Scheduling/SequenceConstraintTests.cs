using ToolN1.Engine.Constraints;
using ToolN1.Engine.Scheduling;

namespace ToolN1.Engine.Tests.Scheduling;

public sealed class SequenceConstraintTests
{
    [Fact]
    public void BeginMask_NobodyWaits_IsComputedOnAnotherThread()
    {
        Scripted scripted = new();
        SequenceConstraint constraint = new(scripted);
        constraint.BeginMask(10);
        Assert.True(SpinWait.SpinUntil(() => scripted.Evaluations == 1, TimeSpan.FromSeconds(30)));
        Assert.NotEqual(Environment.CurrentManagedThreadId, scripted.Thread);
        Assert.Equal([10UL], constraint.Mask().ToArray());
        Assert.Equal(1, scripted.Evaluations);
    }

    [Fact]
    public void Mask_EveryStep_IsThatOfTheStep()
    {
        SequenceConstraint constraint = new(new Scripted());
        for (int remaining = 2000; remaining > 0; remaining--)
        {
            constraint.BeginMask(remaining);
            Assert.Equal((ulong)remaining, constraint.Mask()[0]);
            constraint.Accept(1);
        }
    }

    [Fact]
    public void Mask_AfterATokenThatIsNotAllowed_FailsForGood()
    {
        SequenceConstraint constraint = new(new Scripted());
        constraint.Accept(-1);
        Assert.Empty(constraint.Forced(10));
        constraint.BeginMask(10);
        Assert.Throws<ConstraintEvaluationException>(() => constraint.Mask().Length);
        constraint.Accept(1);
        constraint.BeginMask(9);
        Assert.Throws<ConstraintEvaluationException>(() => constraint.Mask().Length);
    }

    [Fact]
    public void Forced_AsManyAsRemain_LeavesOneToSample()
    {
        SequenceConstraint constraint = new(new Scripted { Certain = [1, 2, 3] });
        Assert.Equal([1, 2, 3], constraint.Forced(10));
        Assert.Equal([1, 2], constraint.Forced(3));
        Assert.Empty(constraint.Forced(1));
    }

    private sealed class Scripted : ITokenConstraint
    {
        public int[] Certain { get; init; } = [];

        public volatile int Evaluations;

        public int Thread { get; private set; }

        public ReadOnlyMemory<ulong> Allowed(int remaining)
        {
            Thread = Environment.CurrentManagedThreadId;
            Interlocked.Increment(ref Evaluations);
            return new[] { (ulong)remaining };
        }

        public IReadOnlyList<int> Forced(int remaining) => Certain;

        public void Accept(int token)
        {
            if (token < 0)
            {
                throw new InvalidOperationException("not allowed");
            }
        }
    }
}
