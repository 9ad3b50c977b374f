using CsCheck;
using ToolN1.Engine.Cache;
using ToolN1.Engine.Kernels;
using ToolN1.Engine.Model;
using static TorchSharp.torch;

namespace ToolN1.Engine.Tests.Kernels;

/// <summary>Attention over padded batches against the reference, which takes one sequence at a time.</summary>
public sealed class BatchedPagedAttentionTests
{
    private const int BlockSize = 8;

    private static readonly ModelConfig Shape = new()
    {
        Architecture = ModelArchitecture.Qwen2,
        HiddenSize = 48,
        IntermediateSize = 80,
        Layers = 1,
        Heads = 6,
        KeyValueHeads = 2,
        HeadDim = 8,
        VocabularySize = 50,
        RmsNormEpsilon = 1e-6,
        RopeTheta = 10000,
        MaxPositionEmbeddings = 1024,
        TieWordEmbeddings = true,
        QkvBias = true,
        QkNorm = false,
    };

    public static TheoryData<int[], int[]> Steps => new()
    {
        // Rows of each sequence, and positions each has in the cache afterwards.
        { [1], [1] },
        { [1], [64] },
        { [1], [65] },
        { [1, 1, 1, 1], [3, 70, 130, 9] },
        { [1, 1, 1, 1, 1, 1], [500, 2, 480, 3, 4, 2] },
        { [5, 1, 1], [40, 64, 66] },
        { [1, 7, 1, 9], [11, 7, 90, 30] },
        { [70], [70] },
    };

    [Theory]
    [MemberData(nameof(Steps))]
    public void Attend_SequencesOfAllLengths_IsTheReferences(int[] rows, int[] contexts)
    {
        using IDisposable scope = NewDisposeScope();
        using IDisposable inference = inference_mode();
        using KvCachePool pool = new(Shape, 300, BlockSize, ScalarType.Float32, CPU);

        // What no sequence has written must not matter, whatever it is.
        pool.Keys(0).fill_(float.NaN);
        pool.Values(0).fill_(float.NaN);
        (List<AttentionSegment> segments, long[] slots) = Layout(rows, contexts, pool);
        Tensor query = randn(slots.Length, Shape.Heads, Shape.HeadDim);
        Tensor key = randn(slots.Length, Shape.KeyValueHeads, Shape.HeadDim);
        Tensor value = randn(slots.Length, Shape.KeyValueHeads, Shape.HeadDim);
        using SdpaPagedAttention reference = new();
        using BatchedPagedAttention batched = new();
        Tensor expected = reference.Begin(pool, segments, slots).Attend(0, query, key, value);
        Tensor actual = batched.Begin(pool, segments, slots).Attend(0, query, key, value);
        Assert.Equal(expected.shape, actual.shape);
        Assert.True(actual.isfinite().all().item<bool>());
        Assert.True(actual.allclose(expected, 1e-5, 1e-5));
    }

    [Fact]
    public void Batches_AnyLengths_HoldEverySequenceOnceAndPadLittle() =>
        Gen.Int[1, 3000].Array[1, 40].Sample(contexts =>
        {
            AttentionSegment[] segments = [.. contexts.Select((context, row) => new AttentionSegment(row, 1, context, []))];
            List<AttentionSegment[]> batches = BatchedPagedAttention.Batches(segments);
            Assert.Equal(segments.Select(segment => segment.FirstRow), batches.SelectMany(batch => batch).Select(segment => segment.FirstRow).Order());
            Assert.All(batches, batch => Assert.InRange(
                batch.Length * batch.Max(segment => segment.ContextLength), 1, (2 * batch.Sum(segment => segment.ContextLength)) + 64));
        });

    [Fact]
    public void Batches_NearlyEqualLengths_AreOneInRowOrder()
    {
        AttentionSegment[] segments = [new(0, 1, 90, []), new(1, 1, 120, []), new(2, 1, 100, [])];
        Assert.Equal([0, 1, 2], Assert.Single(BatchedPagedAttention.Batches(segments)).Select(segment => segment.FirstRow));
    }

    // Blocks are dealt out of order; positions before a sequence's rows are written with random keys.
    private static (List<AttentionSegment> Segments, long[] Slots) Layout(int[] rows, int[] contexts, KvCachePool pool)
    {
        Random random = new(7);
        int[] order = [.. Enumerable.Range(0, pool.Blocks)];
        random.Shuffle(order);
        List<AttentionSegment> segments = [];
        List<long> slots = [];
        int next = 0;
        Tensor keys = pool.Keys(0).view(-1, Shape.KeyValueHeads, Shape.HeadDim);
        Tensor values = pool.Values(0).view(-1, Shape.KeyValueHeads, Shape.HeadDim);
        for (int i = 0; i < rows.Length; i++)
        {
            int count = (contexts[i] + BlockSize - 1) / BlockSize;
            int[] blocks = order[next..(next + count)];
            next += count;
            segments.Add(new AttentionSegment(slots.Count, rows[i], contexts[i], blocks));
            for (int position = 0; position < contexts[i]; position++)
            {
                long slot = ((long)blocks[position / BlockSize] * BlockSize) + (position % BlockSize);
                if (position >= contexts[i] - rows[i])
                {
                    slots.Add(slot);
                }
                else
                {
                    keys[slot] = randn(Shape.KeyValueHeads, Shape.HeadDim);
                    values[slot] = randn(Shape.KeyValueHeads, Shape.HeadDim);
                }
            }
        }

        return (segments, [.. slots]);
    }
}
