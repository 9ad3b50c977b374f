using System.Runtime.InteropServices;
using ToolN1.Engine.Kernels;

namespace ToolN1.Engine.Tests.Kernels;

public sealed unsafe class PagedAttentionKernelTests
{
    [Theory]
    [InlineData(8, 32, 1, 37)]
    [InlineData(16, 64, 5, 16)]
    [InlineData(32, 64, 1, 1)]
    [InlineData(16, 64, 1, 64)]
    [InlineData(32, 64, 2, 100)]
    [InlineData(8, 48, 19, 83)]
    [InlineData(16, 48, 19, 83)]
    [InlineData(32, 48, 19, 83)]
    public void Run_ScatteredBlocks_IsSoftmaxOverWhatEachTokenSees(int blockSize, int width, int tokens, int context)
    {
        Compare<Float32Element>(blockSize, width, tokens, context, 1e-5);
        Compare<BFloat16Element>(blockSize, width, tokens, context, 1e-2);
    }

    [Theory]
    [InlineData(16, 48)]
    [InlineData(16, 16)]
    [InlineData(8, 32)]
    public void Run_SequencesWithACommonBeginning_GiveEachTheBitsThatItGivesAlone(int blockSize, int shared)
    {
        const int Width = 32;
        const int Slots = 400;
        PagedAttentionKernel.Shape shape = new(Heads: 4, new CpuCacheLayout(KeyHeads: 2, Width, blockSize));
        Random random = new(9);
        int[] common = [.. Enumerable.Range(3, shared / blockSize)];
        int[] positions = [shared, shared + 1, shared + 19, shared + 40, shared + 5];
        AttentionPart[] parts = [.. positions.Select((position, i) => new AttentionPart(i, 1, position, (int[])[.. common, .. Enumerable.Range(10 + (6 * i), 6)]))];
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
        float[] queries = Values(parts.Length * 4 * Width);
        float[] keys = Values(Slots * 2 * Width * 2);
        float[] values = Values(Slots * 2 * Width * 2);
        float[] together = new float[queries.Length];
        float[] alone = new float[queries.Length];
        float* scratch = (float*)NativeMemory.AlignedAlloc(PagedAttentionKernel.ScratchLength(parts.Length * 2, Width) * sizeof(float), 64);
        fixed (float* q = queries, k = keys, v = values, t = together, a = alone)
        {
            for (int head = 0; head < 2; head++)
            {
                PagedAttentionKernel.Run<Float32Element>(shape, (byte*)q, (byte*)k, (byte*)v, (byte*)t, parts, shared, head, scratch);
                foreach (AttentionPart part in parts)
                {
                    PagedAttentionKernel.Run<Float32Element>(shape, (byte*)q, (byte*)k, (byte*)v, (byte*)a, [part], 0, head, scratch);
                }
            }
        }

        NativeMemory.AlignedFree(scratch);
        Assert.DoesNotContain(0f, alone);
        Assert.Equal(alone, together);
    }

    private static void Compare<T>(int blockSize, int width, int tokens, int context, double tolerance)
        where T : struct, IElement
    {
        // 1. Two key heads of two query heads each; blocks in falling order. What was never written is not a number.
        CpuCacheLayout layout = new(KeyHeads: 2, width, blockSize);
        PagedAttentionKernel.Shape shape = new(Heads: 4, layout);
        int[] blocks = [.. Enumerable.Range(0, (context + blockSize - 1) / blockSize).Reverse()];
        long[] slots = [.. Enumerable.Range(0, context).Select(position => ((long)blocks[position / blockSize] * blockSize) + (position % blockSize))];
        Random random = new(context);
        float[] queries = Values(tokens * 4 * width);
        float[] keys = Values(context * 2 * width);
        float[] values = Values(context * 2 * width);
        int firstPosition = context - tokens;
        byte[] keyCache = new byte[blocks.Length * blockSize * 2 * width * T.Size];
        byte[] valueCache = new byte[keyCache.Length];
        keyCache.AsSpan().Fill(0xFF);
        valueCache.AsSpan().Fill(0xFF);

        // 2. The kernel.
        byte[] output = new byte[queries.Length * T.Size];
        byte[] q = Bytes(queries);
        byte[] k = Bytes(keys);
        byte[] v = Bytes(values);
        float* scratch = (float*)NativeMemory.AlignedAlloc(PagedAttentionKernel.ScratchLength(tokens * 2, width) * sizeof(float), 64);
        fixed (byte* qp = q, kp = k, vp = v, op = output, kc = keyCache, vc = valueCache)
        {
            if (T.Size == sizeof(float))
            {
                layout.Write((float*)kp, (float*)vp, slots, (float*)kc, (float*)vc);
            }
            else
            {
                layout.Write((ushort*)kp, (ushort*)vp, slots, (ushort*)kc, (ushort*)vc);
            }

            for (int head = 0; head < 2; head++)
            {
                PagedAttentionKernel.Run<T>(shape, qp, kc, vc, op, [new AttentionPart(0, tokens, firstPosition, blocks)], 0, head, scratch);
            }
        }

        NativeMemory.AlignedFree(scratch);
        float[] actual = Floats(output);

        // 3. The definition, in float64.
        for (int token = 0; token < tokens; token++)
        {
            for (int head = 0; head < 4; head++)
            {
                int Place(int position) => (position * 2) + (head / 2);
                double[] weights = [.. Enumerable.Range(0, firstPosition + token + 1).Select(position => Math.Exp(
                    Enumerable.Range(0, width).Sum(d => (double)queries[(((token * 4) + head) * width) + d] * keys[(Place(position) * width) + d]) / Math.Sqrt(width)))];
                for (int d = 0; d < width; d++)
                {
                    double expected = weights.Select((weight, position) => weight * values[(Place(position) * width) + d]).Sum() / weights.Sum();
                    Assert.Equal(expected, actual[(((token * 4) + head) * width) + d], tolerance);
                }
            }
        }

        // Exact in bf16, so that only the kernel's own rounding is left.
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(-32, 33) / 32f)];

        byte[] Bytes(float[] numbers)
        {
            byte[] bytes = new byte[numbers.Length * T.Size];
            fixed (byte* target = bytes)
            {
                for (int i = 0; i < numbers.Length; i += 16)
                {
                    T.Store(System.Runtime.Intrinsics.Vector512.Create(numbers.AsSpan(i, 16)), target + (i * T.Size));
                }
            }

            return bytes;
        }

        float[] Floats(byte[] bytes)
        {
            float[] numbers = new float[bytes.Length / T.Size];
            fixed (byte* source = bytes)
            fixed (float* target = numbers)
            {
                for (int i = 0; i < numbers.Length; i += 16)
                {
                    System.Runtime.Intrinsics.Vector512.Store(T.Load(source + (i * T.Size)), target + i);
                }
            }

            return numbers;
        }
    }
}
