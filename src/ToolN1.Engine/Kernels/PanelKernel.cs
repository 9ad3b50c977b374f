using static TorchSharp.torch;

namespace ToolN1.Engine.Kernels;

/// <summary>
/// How weights lie in panels of 32 outputs, and how rows are multiplied with a panel. Sums run in float32 over the inputs in
/// one order, whatever the number of rows, so a row's result never depends on its batch. Instances are shared by threads.
/// </summary>
internal abstract unsafe class PanelKernel
{
    /// <summary>Outputs in a panel.</summary>
    public const int PanelWidth = 32;

    /// <summary>The kernel that serves a dtype best on this CPU; null leaves its products to libtorch.</summary>
    public static PanelKernel? For(ScalarType dtype) => dtype switch
    {
        ScalarType.Float32 when CpuFeatures.HasWideVectors => MultiplyAddKernel<Float32Panel, float>.Instance,
        ScalarType.BFloat16 when TileKernel.Instance is not null => TileKernel.Instance,
        ScalarType.BFloat16 when CpuFeatures.HasBFloat16Instructions => DotProductKernel.Instance,
        ScalarType.BFloat16 when CpuFeatures.HasFusedMultiplyAdd => MultiplyAddKernel<BFloat16Panel, ushort>.Instance,
        _ => null,
    };

    /// <summary>Rows that share one pass over a panel, so that their inputs stay in the L2 cache.</summary>
    public abstract int RowBlock { get; }

    /// <summary>Bytes of a panel; those of its 32 rows, unless padded.</summary>
    public abstract long PanelBytes(int inputs);

    /// <summary>Fills one panel.</summary>
    /// <param name="rows">The panel's rows of the weight, [rows, inputs]; may be where the panel is to be.</param>
    /// <param name="count">Rows, at most 32; missing ones count as zero.</param>
    /// <param name="inputs">Columns of the weight.</param>
    /// <param name="panel"><see cref="PanelBytes"/>.</param>
    public abstract void Pack(byte* rows, int count, int inputs, byte* panel);

    /// <summary>Reads one row of the weight back.</summary>
    /// <param name="panels">All panels.</param>
    /// <param name="output">The row.</param>
    /// <param name="inputs">Columns of the weight.</param>
    /// <param name="row">[inputs] in the weight's dtype.</param>
    public abstract void Unpack(byte* panels, long output, int inputs, byte* row);

    /// <summary>Bytes of so many rows once prepared; 0 when they are multiplied as they are.</summary>
    public abstract long PreparedBytes(int rows, int inputs);

    /// <summary>Brings rows into the form that <see cref="Multiply"/> reads.</summary>
    /// <param name="input">[rows, inputs] in the weight's dtype.</param>
    /// <param name="rows">At most <see cref="RowBlock"/>; the same rows in one call here as in one of <see cref="Multiply"/>.</param>
    /// <param name="inputs">Length of a row.</param>
    /// <param name="prepared"><see cref="PreparedBytes"/>.</param>
    public abstract void Prepare(byte* input, int rows, int inputs, byte* prepared);

    /// <summary>Prepared rows times one panel.</summary>
    /// <param name="prepared">From <see cref="Prepare"/>.</param>
    /// <param name="rows">At most <see cref="RowBlock"/>.</param>
    /// <param name="panel">The panel; the next one is expected behind it.</param>
    /// <param name="inputs">Length of the sums.</param>
    /// <param name="sums">float32 [rows, 32].</param>
    public abstract void Multiply(byte* prepared, int rows, byte* panel, int inputs, float* sums);
}
