namespace ToolN1.Engine.Kernels;

/// <summary>bf16 weights of 32 outputs as [pairs of inputs, 32 outputs, 2 inputs], which is how the CPU's bf16 instructions take them.</summary>
internal static unsafe class PairPanel
{
    private const int Width = PanelKernel.PanelWidth;

    /// <summary>Bytes of a panel.</summary>
    public static long Bytes(int pairs) => 4L * Width * pairs;

    /// <summary>Fills one panel.</summary>
    /// <param name="rows">[count, inputs]; may be where the panel is to be.</param>
    /// <param name="count">Rows, at most 32; missing ones count as zero.</param>
    /// <param name="inputs">Columns of the weight.</param>
    /// <param name="pairs">Of the panel, at least half the inputs; missing inputs count as zero.</param>
    /// <param name="panel"><see cref="Bytes"/>.</param>
    public static void Pack(byte* rows, int count, int inputs, int pairs, byte* panel)
    {
        ushort[] copy = new ReadOnlySpan<ushort>(rows, count * inputs).ToArray();
        uint* target = (uint*)panel;
        for (int output = 0; output < Width; output++)
        {
            for (int pair = 0; pair < pairs; pair++)
            {
                uint low = output < count && 2 * pair < inputs ? copy[(output * inputs) + (2 * pair)] : 0u;
                uint high = output < count && (2 * pair) + 1 < inputs ? copy[(output * inputs) + (2 * pair) + 1] : 0u;
                target[((long)pair * Width) + output] = low | (high << 16);
            }
        }
    }

    /// <summary>Reads one row of the weight back.</summary>
    /// <param name="panels">All panels.</param>
    /// <param name="output">The row.</param>
    /// <param name="inputs">Columns of the weight.</param>
    /// <param name="pairs">Of a panel.</param>
    /// <param name="row">[inputs] of bf16.</param>
    public static void Unpack(byte* panels, long output, int inputs, int pairs, byte* row)
    {
        uint* source = (uint*)(panels + (output / Width * Bytes(pairs))) + (output % Width);
        for (int input = 0; input < inputs; input++)
        {
            ((ushort*)row)[input] = (ushort)(source[(long)(input / 2) * Width] >> (input % 2 * 16));
        }
    }
}
