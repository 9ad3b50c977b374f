namespace ToolN1.Fuzz.Tests;

/// <summary>A bounded, repeatable share of fuzzing in the normal test run; docs/fuzzing.md has the unbounded, coverage-guided one.</summary>
public sealed class FuzzTargetTests
{
    private const int Inputs = 3000;

    public static TheoryData<string> Names => [.. FuzzTargets.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Run_CommittedInputs_AreReadOrRefused(string name)
    {
        IFuzzTarget target = Find(name);
        IReadOnlyList<byte[]> corpus = FuzzTargets.Corpus(target);
        Assert.NotEmpty(corpus);
        Assert.All(corpus, input => target.Run(input));
        target.Run([]);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Run_MutationsOfThem_AreReadOrRefused(string name)
    {
        IFuzzTarget target = Find(name);
        Mutator mutator = new(FuzzTargets.Corpus(target), target.Dictionary, seed: 1);
        for (int i = 0; i < Inputs && !TestContext.Current.CancellationToken.IsCancellationRequested; i++)
        {
            byte[] input = mutator.Next();
            try
            {
                target.Run(input);
            }
            catch (Exception exception)
            {
                Assert.Fail($"Input {i} of {name}, base64 {Convert.ToBase64String(input)}:\n{exception}");
            }
        }
    }

    [Fact]
    public void Mutator_SameSeed_MakesTheSameInputs()
    {
        IFuzzTarget target = FuzzTargets.Create("request");
        Mutator one = new(FuzzTargets.Corpus(target), target.Dictionary, seed: 7), other = new(FuzzTargets.Corpus(target), target.Dictionary, seed: 7);
        Assert.All(Enumerable.Range(0, 50), _ => Assert.Equal(one.Next(), other.Next()));
    }

    private static IFuzzTarget Find(string name) => FuzzTargets.Create(name);
}
