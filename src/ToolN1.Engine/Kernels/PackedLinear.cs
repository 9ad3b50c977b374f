using System.Runtime.Intrinsics;
using ToolN1.Engine.Model;
using static TorchSharp.torch;

namespace ToolN1.Engine.Kernels;

/// <summary>
/// A projection on the CPU by a kernel of our own: weights repacked once, sums in float32 in one fixed order, so that a row's
/// result does not depend on the batch around it. For serving only; no gradient flows.
/// </summary>
/// <remarks><see cref="Linear.Weight"/> holds the panels of a <see cref="PanelKernel"/>, whatever its shape says.</remarks>
internal sealed unsafe class PackedLinear : Linear
{
    private const int Width = PanelKernel.PanelWidth;

    private const int Lanes = 16;

    private readonly PanelKernel _kernel;
    private readonly int _outputs;
    private readonly int _inputs;
    private readonly int _panels;
    private readonly byte* _weights;
    private readonly float[]? _bias;
    private readonly WorkerPool _workers;

    /// <summary>Over packed panels; <see cref="PanelPacking"/> makes them.</summary>
    internal PackedLinear(PanelKernel kernel, Tensor packed, float[]? bias, int outputs, int inputs, bool wideResult, WorkerPool workers)
        : base(packed, null)
    {
        _kernel = kernel;
        _outputs = outputs;
        _inputs = inputs;
        _panels = (outputs + Width - 1) / Width;
        _weights = TensorMemory.Address(packed);
        _bias = bias;
        ResultDType = wideResult ? ScalarType.Float32 : packed.dtype;
        _workers = workers;
    }

    private delegate void PanelBody(byte* prepared, int firstRow, int count, int panel);

    private ScalarType ResultDType { get; }

    /// <summary>
    /// Replaces every projection of a decoder and its head, in the memory of the old ones. A tied head takes the embedding's
    /// memory, whose rows are then looked up in the panels.
    /// </summary>
    /// <param name="decoder">On the CPU, in the kernel's dtype.</param>
    /// <param name="kernel">Multiplies.</param>
    /// <param name="workers">Threads to share the work; not owned.</param>
    public static void ReplaceAll(Decoder decoder, PanelKernel kernel, WorkerPool workers)
    {
        foreach (long unused in ReplaceInPieces(decoder, kernel, workers, long.MaxValue))
        {
            // A piece is packed by asking for it.
        }
    }

    /// <summary>Replaces every projection of another decoder as those of this one's were, a piece at a time.</summary>
    /// <param name="decoder">Like this one's; not to be used before the last piece, but to be disposed at any time.</param>
    /// <param name="pieceBytes">Bytes that a piece packs at most.</param>
    /// <returns>The bytes of each piece, packed when it is asked for.</returns>
    public IEnumerable<long> PackAlike(Decoder decoder, long pieceBytes) => ReplaceInPieces(decoder, _kernel, _workers, pieceBytes);

    /// <summary>Packs a projection, taking its tensors over.</summary>
    /// <param name="linear">On the CPU, in the kernel's dtype; not to be used any more.</param>
    /// <param name="kernel">Multiplies.</param>
    /// <param name="wideResult">True to return the float32 sums rather than round them to bf16.</param>
    /// <param name="workers">Threads to share the work; not owned.</param>
    public static PackedLinear Pack(Linear linear, PanelKernel kernel, bool wideResult, WorkerPool workers)
    {
        using PanelPacking packing = new(linear, kernel, workers);
        packing.PackNext(long.MaxValue);
        return packing.Finish(wideResult, keepsOriginal: false);
    }

    /// <summary>Rows of the weight, as an embedding gives them.</summary>
    /// <param name="ids">int64 [tokens], each a row.</param>
    /// <returns>[tokens, in] in the weights' dtype, in the current dispose scope.</returns>
    public Tensor Rows(Tensor ids)
    {
        int count = (int)ids.shape[0];
        Tensor result = empty([count, _inputs], Weight.dtype);
        long* rows = (long*)TensorMemory.Address(ids);
        byte* target = TensorMemory.Address(result);
        long rowBytes = _inputs * Weight.ElementSize;
        _workers.Run(count, (i, _) => _kernel.Unpack(_weights, rows[i], _inputs, target + (i * rowBytes)));
        GC.KeepAlive(ids);
        return result;
    }

    /// <summary>The product.</summary>
    /// <param name="input">[tokens, in] in the weights' dtype, contiguous.</param>
    /// <returns>[tokens, out] in the same dtype (float32 for a wide result), in the current dispose scope.</returns>
    public override Tensor Forward(Tensor input) => Multiply(input, [this])[0];

    /// <inheritdoc/>
    public override Tensor[] ForwardWith(Tensor input, params Linear[] others)
    {
        PackedLinear[] packed = [this, .. others.OfType<PackedLinear>()];
        bool together = packed.Length == others.Length + 1 && packed.All(other => ReferenceEquals(other._kernel, _kernel));
        return together ? Multiply(input, packed) : base.ForwardWith(input, others);
    }

    /// <inheritdoc/>
    public override Tensor ForwardGated(Tensor input, Linear up)
    {
        if (up is not PackedLinear other || !ReferenceEquals(other._kernel, _kernel))
        {
            return base.ForwardGated(input, up);
        }

        // A panel of each at a time, so that neither product is ever stored.
        Tensor result = empty([input.shape[0], _outputs], ResultDType);
        byte* target = TensorMemory.Address(result);
        ForPanels(input, _panels, (prepared, firstRow, count, panel) =>
        {
            float* gates = stackalloc float[2 * count * Width];
            float* values = gates + (count * Width);
            MultiplyPanel(prepared, count, panel, gates);
            other.MultiplyPanel(prepared, count, panel, values);
            if (ResultDType == ScalarType.Float32)
            {
                Gate<Float32Element>(gates, values, count * Width);
            }
            else
            {
                Gate<BFloat16Element>(gates, values, count * Width);
            }

            Write(gates, firstRow, count, panel, target);
        });
        return result;
    }

    private static IEnumerable<long> ReplaceInPieces(Decoder decoder, PanelKernel kernel, WorkerPool workers, long pieceBytes)
    {
        foreach (DecoderLayer layer in decoder.Layers)
        {
            foreach ((Linear projection, Action<Linear> replace) in new (Linear, Action<Linear>)[]
            {
                (layer.Query, packed => layer.Query = packed),
                (layer.Key, packed => layer.Key = packed),
                (layer.Value, packed => layer.Value = packed),
                (layer.Output, packed => layer.Output = packed),
                (layer.Gate, packed => layer.Gate = packed),
                (layer.Up, packed => layer.Up = packed),
                (layer.Down, packed => layer.Down = packed),
            })
            {
                using PanelPacking packing = new(projection, kernel, workers);
                while (!packing.IsDone)
                {
                    yield return packing.PackNext(pieceBytes);
                }

                replace(packing.Finish(wideResult: false, keepsOriginal: false));
            }
        }

        using PanelPacking headPacking = new(decoder.Head, kernel, workers);
        while (!headPacking.IsDone)
        {
            yield return headPacking.PackNext(pieceBytes);
        }

        PackedLinear head = headPacking.Finish(wideResult: true, keepsOriginal: decoder.Config.TieWordEmbeddings);
        decoder.Head = head;
        if (ReferenceEquals(head.Weight, decoder.Embedding))
        {
            decoder.EmbeddingLookup = head.Rows;
        }
    }

    // One call of the workers for all projections: their panels count as one sequence.
    private static Tensor[] Multiply(Tensor input, PackedLinear[] projections)
    {
        PackedLinear first = projections[0];
        int rows = (int)input.shape[0];
        Tensor[] results = new Tensor[projections.Length];
        byte*[] targets = new byte*[projections.Length];
        for (int i = 0; i < results.Length; i++)
        {
            results[i] = empty([rows, projections[i]._outputs], projections[i].ResultDType);
            targets[i] = TensorMemory.Address(results[i]);
        }

        first.ForPanels(input, projections.Sum(projection => projection._panels), (prepared, firstRow, count, panel) =>
        {
            int i = 0;
            for (; panel >= projections[i]._panels; i++)
            {
                panel -= projections[i]._panels;
            }

            float* sums = stackalloc float[count * Width];
            projections[i].MultiplyPanel(prepared, count, panel, sums);
            projections[i].Write(sums, firstRow, count, panel, targets[i]);
        });
        return results;
    }

    // Prepares the inputs, then gives every panel every block of rows, on all threads.
    private void ForPanels(Tensor input, int panels, PanelBody body)
    {
        int rows = (int)input.shape[0];
        int blockRows = _kernel.RowBlock;
        int blocks = (rows + blockRows - 1) / blockRows;
        long blockBytes = _inputs * input.ElementSize * blockRows;
        byte* source = TensorMemory.Address(input);

        // 1. Inputs in the kernel's form, block after block.
        long preparedBytes = _kernel.PreparedBytes(Math.Min(rows, blockRows), _inputs);
        using Tensor? buffer = preparedBytes == 0 ? null : empty([blocks * preparedBytes], ScalarType.Byte);
        byte* prepared = buffer is null ? source : TensorMemory.Address(buffer);
        if (buffer is not null)
        {
            _workers.Run(blocks, (block, _) => _kernel.Prepare(
                source + (block * blockBytes), Math.Min(blockRows, rows - (block * blockRows)), _inputs, prepared + (block * preparedBytes)));
        }

        // 2. Blocks of rows times runs of panels, several runs for each thread.
        long stride = buffer is null ? blockBytes : preparedBytes;
        int runs = Math.Min(panels, _workers.Workers * 8);
        _workers.Run(blocks * runs, (task, _) =>
        {
            int block = task / runs;
            int run = task % runs;
            int firstRow = block * blockRows;
            for (int panel = panels * run / runs; panel < panels * (run + 1) / runs; panel++)
            {
                body(prepared + (block * stride), firstRow, Math.Min(blockRows, rows - firstRow), panel);
            }
        });
        GC.KeepAlive(input);
    }

    // Sums of one panel, bias included: float32 [count, 32].
    private void MultiplyPanel(byte* prepared, int count, int panel, float* sums)
    {
        _kernel.Multiply(prepared, count, _weights + (panel * _kernel.PanelBytes(_inputs)), _inputs, sums);
        if (_bias is not null)
        {
            Vector512<float> low = Vector512.Create(_bias.AsSpan(panel * Width, Lanes));
            Vector512<float> high = Vector512.Create(_bias.AsSpan((panel * Width) + Lanes, Lanes));
            for (float* row = sums; row < sums + (count * Width); row += Width)
            {
                (Vector512.Load(row) + low).Store(row);
                (Vector512.Load(row + Lanes) + high).Store(row + Lanes);
            }
        }
    }

    private void Write(float* sums, int firstRow, int count, int panel, byte* target)
    {
        int firstOutput = panel * Width;
        int width = Math.Min(Width, _outputs - firstOutput);
        for (int row = 0; row < count; row++)
        {
            Vector512<float> low = Vector512.Load(sums + (row * Width));
            Vector512<float> high = Vector512.Load(sums + (row * Width) + Lanes);
            long offset = ((long)(firstRow + row) * _outputs) + firstOutput;
            if (ResultDType == ScalarType.Float32)
            {
                WriteRow<Float32Element>(low, high, target + (offset * Float32Element.Size), width);
            }
            else
            {
                WriteRow<BFloat16Element>(low, high, target + (offset * BFloat16Element.Size), width);
            }
        }
    }

    // As if both products had been written and read again, so that it does not matter whether they were.
    private static void Gate<T>(float* gates, float* values, int count)
        where T : struct, IElement
    {
        for (int i = 0; i < count; i += Lanes)
        {
            (VectorMath.Silu(T.Round(Vector512.Load(gates + i))) * T.Round(Vector512.Load(values + i))).Store(gates + i);
        }
    }

    private static void WriteRow<T>(Vector512<float> low, Vector512<float> high, byte* target, int width)
        where T : struct, IElement
    {
        if (width == Width)
        {
            T.Store(low, target);
            T.Store(high, target + (Lanes * T.Size));
            return;
        }

        byte* whole = stackalloc byte[Width * T.Size];
        T.Store(low, whole);
        T.Store(high, whole + (Lanes * T.Size));
        new ReadOnlySpan<byte>(whole, width * T.Size).CopyTo(new Span<byte>(target, width * T.Size));
    }
}
