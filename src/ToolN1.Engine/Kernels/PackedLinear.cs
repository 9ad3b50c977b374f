using System.Runtime.Intrinsics;
using ToolN1.Engine.Model;
using static TorchSharp.torch;

namespace ToolN1.Engine.Kernels;

/// <summary>
/// A projection on the CPU by our own kernel: weights repacked once, sums in float32 in one fixed order, so that a row's
/// result does not depend on the batch around it. For serving only; no gradient flows.
/// </summary>
/// <remarks><see cref="Linear.Weight"/> holds the panels of <see cref="PackedGemm"/>, each [in, 32], whatever its shape says.</remarks>
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

    /// <summary>
    /// Replaces every projection of a decoder and its head, in the memory of the old ones. A tied head takes the embedding's
    /// memory, whose rows are then looked up in the panels.
    /// </summary>
    /// <param name="decoder">In f32 or bf16, on the CPU.</param>
    /// <param name="workers">Threads to share the work; not owned.</param>
    public static void ReplaceAll(Decoder decoder, WorkerPool workers)
    {
        foreach (DecoderLayer layer in decoder.Layers)
        {
            layer.Query = Pack(layer.Query, false, workers);
            layer.Key = Pack(layer.Key, false, workers);
            layer.Value = Pack(layer.Value, false, workers);
            layer.Output = Pack(layer.Output, false, workers);
            layer.Gate = Pack(layer.Gate, false, workers);
            layer.Up = Pack(layer.Up, false, workers);
            layer.Down = Pack(layer.Down, false, workers);
        }

        PackedLinear head = Pack(decoder.Head, wideResult: true, workers, keepsOriginal: decoder.Config.TieWordEmbeddings);
        decoder.Head = head;
        if (ReferenceEquals(head.Weight, decoder.Embedding))
        {
            decoder.EmbeddingLookup = head.Rows;
        }
    }

    /// <summary>Packs a projection, taking its tensors over.</summary>
    /// <param name="linear">f32 or bf16, on the CPU; not to be used any more.</param>
    /// <param name="wideResult">True to return the float32 sums rather than round them to bf16.</param>
    /// <param name="workers">Threads to share the work; not owned.</param>
    /// <param name="keepsOriginal">True when the weight is somebody else's too: it is then not freed where it cannot be packed in place.</param>
    public static PackedLinear Pack(Linear linear, bool wideResult, WorkerPool workers, bool keepsOriginal = false)
    {
        Tensor weight = linear.Weight;
        int outputs = (int)weight.shape[0];
        int inputs = (int)weight.shape[1];
        int panels = (outputs + PackedGemm.PanelWidth - 1) / PackedGemm.PanelWidth;

        // A panel takes exactly the bytes of its rows, so whole panels are packed where they lie.
        bool inPlace = outputs % PackedGemm.PanelWidth == 0;
        Tensor packed = inPlace ? weight : empty([panels, inputs, PackedGemm.PanelWidth], weight.dtype).DetachFromDisposeScope();
        byte* source = TensorMemory.Address(weight);
        byte* target = TensorMemory.Address(packed);
        bool isWide = weight.dtype == ScalarType.Float32;
        workers.Run(panels, (panel, _) =>
        {
            int count = Math.Min(PackedGemm.PanelWidth, outputs - (panel * PackedGemm.PanelWidth));
            long start = (long)panel * PackedGemm.PanelWidth * inputs;
            if (isWide)
            {
                PackedGemm.Pack<Float32Panel, float>((float*)source + start, count, inputs, (float*)target + start);
            }
            else
            {
                PackedGemm.Pack<BFloat16Panel, ushort>((ushort*)source + start, count, inputs, (ushort*)target + start);
            }
        });
        GC.KeepAlive(weight);

        float[]? bias = null;
        if (linear.Bias is not null)
        {
            using Tensor wideBias = linear.Bias.to_type(ScalarType.Float32);
            bias = wideBias.data<float>().ToArray();
            linear.Bias.Dispose();
        }

        if (!inPlace && !keepsOriginal)
        {
            weight.Dispose();
        }

        return new PackedLinear(packed, bias, outputs, inputs, wideResult, workers);
    }

    /// <summary>Rows of the weight, as an embedding gives them.</summary>
    /// <param name="ids">int64 [tokens], each a row.</param>
    /// <returns>[tokens, in] in the weights' dtype, in the current dispose scope.</returns>
    public Tensor Rows(Tensor ids)
    {
        int count = (int)ids.shape[0];
        Tensor result = empty([count, _inputs], Weight.dtype);
        long* rows = (long*)TensorMemory.Address(ids);
        byte* panels = TensorMemory.Address(Weight);
        byte* target = TensorMemory.Address(result);
        bool isWide = Weight.dtype == ScalarType.Float32;
        _workers.Run(count, (i, _) =>
        {
            if (isWide)
            {
                PackedGemm.Unpack<Float32Panel, float>((float*)panels, rows[i], _inputs, (float*)target + ((long)i * _inputs));
            }
            else
            {
                PackedGemm.Unpack<BFloat16Panel, ushort>((ushort*)panels, rows[i], _inputs, (ushort*)target + ((long)i * _inputs));
            }
        });
        GC.KeepAlive(ids);
        return result;
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
