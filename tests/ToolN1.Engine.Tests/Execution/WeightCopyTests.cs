using ToolN1.Engine.Execution;
using static TorchSharp.torch;

namespace ToolN1.Engine.Tests.Execution;

public sealed class WeightCopyTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(256)]
    [InlineData(long.MaxValue)]
    public void InPieces_AnyBound_CopiesEverythingInPiecesOfThatManyBytesOrOneRow(long pieceBytes)
    {
        using IDisposable scope = NewDisposeScope();
        (string Name, Tensor Tensor)[] sources =
        [
            ("matrix", randn([37, 24])),
            ("transposed", randn([24, 37]).t()),
            ("vector", randn([61])),
        ];
        sources[0].Tensor.requires_grad = true;
        Dictionary<string, Tensor> copies = [];
        long[] pieces = [.. WeightCopy.InPieces(sources, ScalarType.BFloat16, CPU, pieceBytes, copies)];

        Assert.Equal(2 * sources.Sum(source => source.Tensor.numel()), pieces.Sum());
        Assert.All(pieces, bytes => Assert.InRange(bytes, 1, Math.Max(pieceBytes, 2 * 37)));
        foreach ((string name, Tensor source) in sources)
        {
            using Tensor copy = copies[name];
            Assert.False(copy.requires_grad);
            Assert.True(copy.is_contiguous());
            Assert.True(copy.equal(source.detach().to_type(ScalarType.BFloat16)).all().item<bool>());
        }
    }

    [Fact]
    public void InPieces_GivenUp_HasBegunNoMoreThanWasAskedFor()
    {
        using IDisposable scope = NewDisposeScope();
        Dictionary<string, Tensor> copies = [];
        (string, Tensor)[] sources = [("first", ones([8, 4])), ("second", ones([8, 4]))];
        using IEnumerator<long> pieces = WeightCopy.InPieces(sources, null, CPU, 64, copies).GetEnumerator();
        Assert.True(pieces.MoveNext());

        Assert.Equal(64, pieces.Current);
        using Tensor begun = Assert.Single(copies).Value;
        Assert.Equal(ScalarType.Float32, begun.dtype);
    }
}
