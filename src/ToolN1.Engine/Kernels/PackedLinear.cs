using System.Runtime.Intrinsics;
using ToolN1.Engine.Model;
using static TorchSharp.torch;

namespace ToolN1.Engine.Kernels;

/// <summary>
/// A bf16 projection on the CPU by our own kernel: weights repacked once, sums in float32 in one fixed order, so that a
/// row's result does not depend on the batch around it. For serving only; no gradient flows.
/// </summary>
/// <remarks><see cref="Linear.Weight"/> holds the packed layout of <see cref="PackedGemm"/>: [panels, in, 32].</remarks>
internal sealed unsafe class PackedLinear : Linear
{
    // Below this many elements a copy is not worth the other threads' attention.
    private const int ParallelCopy = 1 << 15;

    // Rows whose inputs stay in the L2 cache while the panels pass by.
    private const int RowBlock = 64;

    private readonly int _outputs;
    private readonly int _inputs;
    private readonly float[]? _bias;
    private readonly bool _wideResult;
    private readonly WorkerPool _workers;

    private PackedLinear(Tensor packed, float[]? bias, int outputs, int inputs, bool wideResult, WorkerPool workers)
        : base(packed, null)
    {
        _outputs = outputs;
        _inputs = inputs;
        _bias = bias;
        _wideResult = wideResult;
        _workers = workers;
    }

    /// <summary>Replaces every projection of a decoder, and its head, freeing each as soon as it is packed. A tied head leaves the embedding in place.</summary>
    /// <param name="decoder">In bf16 on the CPU.</param>
    /// <param name="workers">Threads to share the work; not owned.</param>
    public static void ReplaceAll(Decoder decoder, WorkerPool workers)
    {
        foreach (DecoderLayer layer in decoder.Layers)
        {
            layer.Query = Replace(layer.Query);
            layer.Key = Replace(layer.Key);
            layer.Value = Replace(layer.Value);
            layer.Output = Replace(layer.Output);
            layer.Gate = Replace(layer.Gate);
            layer.Up = Replace(layer.Up);
            layer.Down = Replace(layer.Down);
        }

        Linear head = decoder.Head;
        decoder.Head = Pack(head, wideResult: true, workers);
        if (!decoder.Config.TieWordEmbeddings)
        {
            head.Dispose();
        }

        PackedLinear Replace(Linear linear)
        {
            PackedLinear packed = Pack(linear, wideResult: false, workers);
            linear.Dispose();
            return packed;
        }
    }

    /// <summary>Packs a projection; the original is not touched.</summary>
    /// <param name="linear">bf16, on the CPU.</param>
    /// <param name="wideResult">True to return the float32 sums rather than round them to bf16.</param>
    /// <param name="workers">Threads to share the work; not owned.</param>
    public static PackedLinear Pack(Linear linear, bool wideResult, WorkerPool workers)
    {
        int outputs = (int)linear.Weight.shape[0];
        int inputs = (int)linear.Weight.shape[1];
        int panels = (outputs + PackedGemm.PanelWidth - 1) / PackedGemm.PanelWidth;
        Tensor packed = empty([panels, inputs, PackedGemm.PanelWidth], ScalarType.BFloat16).DetachFromDisposeScope();
        ushort* source = (ushort*)TensorMemory.Address(linear.Weight);
        ushort* target = (ushort*)TensorMemory.Address(packed);
        workers.Run(panels, (panel, _) =>
            PackedGemm.Pack(source, outputs, inputs, panel, target + ((long)panel * inputs * PackedGemm.PanelWidth)));
        GC.KeepAlive(linear);
        using Tensor? wideBias = linear.Bias?.to_type(ScalarType.Float32);
        float[]? bias = wideBias?.data<float>().ToArray();
        return new PackedLinear(packed, bias, outputs, inputs, wideResult, workers);
    }

    /// <summary>The product.</summary>
    /// <param name="input">bf16 [tokens, in], contiguous.</param>
    /// <returns>[tokens, out] in bf16 (float32 for a wide result), in the current dispose scope.</returns>
    public override Tensor Forward(Tensor input)
    {
        int rows = (int)input.shape[0];
        Tensor wide = empty([rows, _inputs], ScalarType.Float32);
        Tensor result = empty([rows, _outputs], _wideResult ? ScalarType.Float32 : ScalarType.BFloat16);
        byte* from = TensorMemory.Address(input);
        float* x = (float*)TensorMemory.Address(wide);
        ushort* weight = (ushort*)TensorMemory.Address(Weight);
        byte* y = TensorMemory.Address(result);

        // 1. Inputs in float32.
        if ((long)rows * _inputs < ParallelCopy)
        {
            Widen(from, x, (long)rows * _inputs);
        }
        else
        {
            _workers.Run(rows, (row, _) => Widen(from + ((long)row * _inputs * 2), x + ((long)row * _inputs), _inputs));
        }

        // 2. Blocks of rows times runs of panels, several runs for each thread.
        int panels = (_outputs + PackedGemm.PanelWidth - 1) / PackedGemm.PanelWidth;
        int runs = Math.Min(panels, _workers.Workers * 8);
        int blocks = (rows + RowBlock - 1) / RowBlock;
        _workers.Run(blocks * runs, (task, _) =>
        {
            int firstRow = task / runs * RowBlock;
            int lastRow = Math.Min(rows, firstRow + RowBlock);
            int run = task % runs;
            for (int panel = panels * run / runs; panel < panels * (run + 1) / runs; panel++)
            {
                Multiply(x, weight, y, firstRow, lastRow, panel);
            }
        });
        GC.KeepAlive(input);
        wide.Dispose();
        return result;
    }

    private static void Widen(byte* from, float* to, long count)
    {
        long i = 0;
        for (; i <= count - 16; i += 16)
        {
            Vector512.Store(BFloat16Element.Load(from + (2 * i)), to + i);
        }

        for (; i < count; i++)
        {
            to[i] = BitConverter.UInt32BitsToSingle((uint)((ushort*)from)[i] << 16);
        }
    }

    private void Multiply(float* x, ushort* weight, byte* y, int firstRow, int lastRow, int panel)
    {
        int firstOutput = panel * PackedGemm.PanelWidth;
        int width = Math.Min(PackedGemm.PanelWidth, _outputs - firstOutput);
        float* sums = stackalloc float[8 * PackedGemm.PanelWidth];
        for (int row = firstRow; row < lastRow;)
        {
            int tile = PackedGemm.TileRows(lastRow - row);
            PackedGemm.Tile(tile, x + ((long)row * _inputs), weight + ((long)panel * _inputs * PackedGemm.PanelWidth), _inputs, sums);
            for (int i = 0; i < tile; i++, row++)
            {
                Write(sums + (i * PackedGemm.PanelWidth), y, ((long)row * _outputs) + firstOutput, firstOutput, width);
            }
        }
    }

    private void Write(float* sums, byte* y, long offset, int firstOutput, int width)
    {
        for (int column = 0; _bias is not null && column < width; column++)
        {
            sums[column] += _bias[firstOutput + column];
        }

        if (_wideResult)
        {
            new ReadOnlySpan<float>(sums, width).CopyTo(new Span<float>((float*)y + offset, width));
        }
        else if (width == PackedGemm.PanelWidth)
        {
            BFloat16Element.Store(Vector512.Load(sums), y + (2 * offset));
            BFloat16Element.Store(Vector512.Load(sums + 16), y + (2 * (offset + 16)));
        }
        else
        {
            ushort* rounded = stackalloc ushort[PackedGemm.PanelWidth];
            BFloat16Element.Store(Vector512.Load(sums), (byte*)rounded);
            BFloat16Element.Store(Vector512.Load(sums + 16), (byte*)(rounded + 16));
            new ReadOnlySpan<ushort>(rounded, width).CopyTo(new Span<ushort>((ushort*)y + offset, width));
        }
    }
}
