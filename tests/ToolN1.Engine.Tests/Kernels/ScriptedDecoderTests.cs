using ToolN1.Engine.Cache;
using ToolN1.Engine.Kernels;
using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;
using ToolN1.TestSupport;
using static TorchSharp.torch;

namespace ToolN1.Engine.Tests.Kernels;

/// <summary>The pass as one script against the same pass operator by operator; by libtorch on the CPU.</summary>
public sealed class ScriptedDecoderTests
{
    private const int BlockSize = 8;

    // Sequences of up to 200, 24 and 40 positions, each in its own blocks.
    private static readonly int[][] Blocks = [[.. Enumerable.Range(8, 25)], [.. Enumerable.Range(0, 3)], [.. Enumerable.Range(3, 5)]];

    private readonly int[] _lengths = new int[3];

    public static TheoryData<string> Fixtures => [.. GoldenModel.Names];

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void Forward_PromptsThenBothThenDecodes_IsTheDecoders(string fixture)
    {
        using IDisposable scope = NewDisposeScope();
        using IDisposable inference = inference_mode();
        using Decoder decoder = CheckpointLoader.Load(GoldenModel.Load(fixture).Folder, CPU, ScalarType.Float32);
        using KvCachePool one = new(decoder.Config, 40, BlockSize, ScalarType.Float32, CPU);
        using KvCachePool other = new(decoder.Config, 40, BlockSize, ScalarType.Float32, CPU);
        using BatchedPagedAttention attention = new();
        foreach (int[] rows in new int[][] { [150, 5, 1], [1, 7, 1], [1, 1, 1] })
        {
            (List<AttentionSegment> segments, long[] slots, Tensor positions) = Layout(rows);
            Tensor ids = randint(0, 50, [slots.Length], ScalarType.Int64);
            Tensor expected = decoder.Forward(ids, positions, attention.Begin(one, segments, slots));
            Tensor? actual = ScriptedDecoder.Forward(decoder, ids, positions, (BatchedPagedAttention.Step)attention.Begin(other, segments, slots));
            Assert.NotNull(actual);
            Assert.True(actual.allclose(expected, 1e-4, 1e-4));
        }

        // Each step's positions follow the last one's.
        (List<AttentionSegment> Segments, long[] Slots, Tensor Positions) Layout(int[] rows)
        {
            List<AttentionSegment> segments = [];
            List<long> slots = [];
            List<long> positions = [];
            for (int i = 0; i < rows.Length; i++)
            {
                _lengths[i] += rows[i];
                segments.Add(new AttentionSegment(slots.Count, rows[i], _lengths[i], Blocks[i]));
                for (int position = _lengths[i] - rows[i]; position < _lengths[i]; position++)
                {
                    positions.Add(position);
                    slots.Add(((long)Blocks[i][position / BlockSize] * BlockSize) + (position % BlockSize));
                }
            }

            return (segments, [.. slots], tensor(positions.ToArray()));
        }
    }

    [Fact]
    public void Forward_ProjectionsBesideAdapters_IsLeftToTheDecoder()
    {
        using IDisposable scope = NewDisposeScope();
        using Decoder decoder = CheckpointLoader.Load(GoldenModel.Load("qwen2-tiny").Folder, CPU, ScalarType.Float32);
        AdapterLinear.WrapAll(decoder);
        using KvCachePool pool = new(decoder.Config, 4, BlockSize, ScalarType.Float32, CPU);
        using BatchedPagedAttention attention = new();
        BatchedPagedAttention.Step step = (BatchedPagedAttention.Step)attention.Begin(pool, [new AttentionSegment(0, 1, 1, [0])], [0]);
        Assert.Null(ScriptedDecoder.Forward(decoder, tensor(new long[] { 1 }), tensor(new long[] { 0 }), step));
    }
}
