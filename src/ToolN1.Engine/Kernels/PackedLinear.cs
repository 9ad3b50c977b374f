using System.Runtime.Intrinsics;
using ToolN1.Engine.Model;
using static TorchSharp.torch;

namespace ToolN1.Engine.Kernels;

/// <summary>
/// A projection on the CPU by our own kernel: weights repacked once, sums in float32 in one fixed order, so that a row's
/// result does not depend on the batch around it. For serving only; no gradient flows.
/// </summary>
/// <remarks><see cref="Linear.Weight"/> holds the panels of <see cref="PackedGemm"/>: [panels, in, 32].</remarks>
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
    /// <param name="decoder">In f32 or bf16, on the CPU.</param>
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
    /// <param name="linear">f32 or bf16, on the CPU.</param>
    /// <param name="wideResult">True to return the float32 sums rather than round them to bf16.</param>
    /// <param name="workers">Threads to share the work; not owned.</param>
    public static PackedLinear Pack(Linear linear, bool wideResult, WorkerPool workers)
    {
        int outputs = (int)linear.Weight.shape[0];
        int inputs = (int)linear.Weight.shape[1];
        int panels = (outputs + PackedGemm.PanelWidth - 1) / PackedGemm.PanelWidth;
        long panelLength = (long)inputs * PackedGemm.PanelWidth;
        Tensor packed = empty([panels, inputs, PackedGemm.PanelWidth], linear.Weight.dtype).DetachFromDisposeScope();
        byte* source = TensorMemory.Address(linear.Weight);
        byte* target = TensorMemory.Address(packed);
        if (linear.Weight.dtype == ScalarType.Float32)
        {
            workers.Run(panels, (panel, _) =>
                PackedGemm.Pack<Float32Panel, float>((float*)source, outputs, inputs, panel, (float*)target + (panel * panelLength)));
        }
        else
        {
            workers.Run(panels, (panel, _) =>
                PackedGemm.Pack<BFloat16Panel, ushort>((ushort*)source, outputs, inputs, panel, (ushort*)target + (panel * panelLength)));
        }

        GC.KeepAlive(linear);
        using Tensor? wideBias = linear.Bias?.to_type(ScalarType.Float32);
        float[]? bias = wideBias?.data<float>().ToArray();
        return new PackedLinear(packed, bias, outputs, inputs, wideResult, workers);
    }

    /// <summary>The product.</summary>
    /// <param name="input">[tokens, in] in the weights' dtype, contiguous.</param>
    /// <returns>[tokens, out] in the same dtype (float32 for a wide result), in the current dispose scope.</returns>
    public override Tensor Forward(Tensor input)
    {
        int rows = (int)input.shape[0];
        bool isWide = input.dtype == ScalarType.Float32;
        using Tensor? widened = isWide ? null : Widen(input, rows);
        Tensor result = empty([rows, _outputs], isWide || _wideResult ? ScalarType.Float32 : ScalarType.BFloat16);
        float* x = (float*)TensorMemory.Address(widened ?? input);
        byte* weight = TensorMemory.Address(Weight);
        byte* y = TensorMemory.Address(result);

        // Blocks of rows times runs of panels, several runs for each thread.
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
                if (isWide)
                {
                    Multiply<Float32Panel>(x, weight, y, firstRow, lastRow, panel, roundsResult: false);
                }
                else
                {
                    Multiply<BFloat16Panel>(x, weight, y, firstRow, lastRow, panel, !_wideResult);
                }
            }
        });
        GC.KeepAlive(input);
        return result;
    }

    private Tensor Widen(Tensor input, int rows)
    {
        Tensor wide = empty([rows, _inputs], ScalarType.Float32);
        byte* from = TensorMemory.Address(input);
        float* to = (float*)TensorMemory.Address(wide);
        if ((long)rows * _inputs < ParallelCopy)
        {
            Widen(from, to, (long)rows * _inputs);
        }
        else
        {
            _workers.Run(rows, (row, _) => Widen(from + ((long)row * _inputs * 2), to + ((long)row * _inputs), _inputs));
        }

        return wide;
    }

    private static void Widen(byte* from, float* to, long count)
    {
        long i = 0;
        for (; i <= count - 16; i += 16)
        {
            BFloat16Element.Load(from + (2 * i)).Store(to + i);
        }

        for (; i < count; i++)
        {
            to[i] = BitConverter.UInt32BitsToSingle((uint)((ushort*)from)[i] << 16);
        }
    }

    private void Multiply<TPanel>(float* x, byte* weight, byte* y, int firstRow, int lastRow, int panel, bool roundsResult)
        where TPanel : struct, IPanel
    {
        int firstOutput = panel * PackedGemm.PanelWidth;
        int width = Math.Min(PackedGemm.PanelWidth, _outputs - firstOutput);
        byte* lines = weight + ((long)firstOutput * _inputs * TPanel.Size);
        float* sums = stackalloc float[8 * PackedGemm.PanelWidth];
        for (int row = firstRow; row < lastRow;)
        {
            int tile = PackedGemm.TileRows(lastRow - row);
            PackedGemm.Tile<TPanel>(tile, x + ((long)row * _inputs), lines, _inputs, sums);
            for (int i = 0; i < tile; i++, row++)
            {
                Write(sums + (i * PackedGemm.PanelWidth), y, ((long)row * _outputs) + firstOutput, firstOutput, width, roundsResult);
            }
        }
    }

    private void Write(float* sums, byte* y, long offset, int firstOutput, int width, bool roundsResult)
    {
        for (int column = 0; _bias is not null && column < width; column++)
        {
            sums[column] += _bias[firstOutput + column];
        }

        if (!roundsResult)
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
