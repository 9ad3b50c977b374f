namespace ToolN1.Engine.Kernels;

/// <summary>Widens weights to float32 beside each multiply-add (<see cref="PackedGemm"/>).</summary>
/// <typeparam name="TPanel">How the weights of 32 outputs for one input lie.</typeparam>
/// <typeparam name="TWeight">Their bits.</typeparam>
internal sealed unsafe class MultiplyAddKernel<TPanel, TWeight> : PanelKernel
    where TPanel : struct, IPanel
    where TWeight : unmanaged
{
    private MultiplyAddKernel()
    {
    }

    /// <summary>The only one; it has no state.</summary>
    public static MultiplyAddKernel<TPanel, TWeight> Instance { get; } = new();

    private static bool IsWide => TPanel.Size == sizeof(float);

    /// <inheritdoc/>
    public override int RowBlock => 64;

    /// <inheritdoc/>
    public override long PanelBytes(int inputs) => (long)PanelWidth * inputs * TPanel.Size;

    /// <inheritdoc/>
    public override void Pack(byte* rows, int count, int inputs, byte* panel) =>
        PackedGemm.Pack<TPanel, TWeight>((TWeight*)rows, count, inputs, (TWeight*)panel);

    /// <inheritdoc/>
    public override void Unpack(byte* panels, long output, int inputs, byte* row) =>
        PackedGemm.Unpack<TPanel, TWeight>((TWeight*)panels, output, inputs, (TWeight*)row);

    /// <inheritdoc/>
    public override long PreparedBytes(int rows, int inputs) => IsWide ? 0 : (long)rows * inputs * sizeof(float);

    /// <inheritdoc/>
    public override void Prepare(byte* input, int rows, int inputs, byte* prepared)
    {
        float* wide = (float*)prepared;
        long count = (long)rows * inputs;
        long i = 0;
        for (; i <= count - 16; i += 16)
        {
            System.Runtime.Intrinsics.Vector512.Store(BFloat16Element.Load(input + (2 * i)), wide + i);
        }

        for (; i < count; i++)
        {
            wide[i] = BitConverter.UInt32BitsToSingle((uint)((ushort*)input)[i] << 16);
        }
    }

    /// <inheritdoc/>
    public override void Multiply(byte* prepared, int rows, byte* panel, int inputs, float* sums)
    {
        float* x = (float*)prepared;
        for (int row = 0; row < rows;)
        {
            int tile = PackedGemm.TileRows(rows - row);
            PackedGemm.Tile<TPanel>(tile, x + ((long)row * inputs), panel, inputs, sums + (row * PanelWidth));
            row += tile;
        }
    }
}
