using ToolN1.Training.Passes;
using static TorchSharp.torch;

namespace ToolN1.Training.Planning;

/// <summary>bf16 products that oneDNN compiles and keeps, by shape. Products in f32 are not compiled one by one.</summary>
internal static class CompiledProducts
{
    // What oneDNN keeps of a compiled product, two descriptions of 120 KiB each above all, and how many it keeps. Measured; and its default.
    private const long ProductBytes = 280L << 10;
    private const long MostProducts = 1024;

    // Micro-batches in which a run meets all but 1/e of the shapes that it will ever meet: measured.
    private const double BatchesToMeet = 45;

    /// <summary>Bytes of so many shapes.</summary>
    /// <param name="compute">Dtype of the products.</param>
    /// <param name="shapes">Shapes.</param>
    public static long Bytes(ScalarType compute, long shapes) => compute == ScalarType.BFloat16 ? Math.Min(shapes, MostProducts) * ProductBytes : 0;

    /// <summary>Padded numbers of rows between half a micro-batch and a whole one.</summary>
    /// <param name="tokens">Of a micro-batch.</param>
    public static long RowCounts(long tokens) => ((PassPlan.Padded(tokens) / PassPlan.RowAlignment) + 1) / 2;

    /// <summary>Fraction of a run's shapes that its micro-batches meet.</summary>
    /// <param name="batches">Micro-batches of the whole run.</param>
    public static double Met(double batches) => 1 - Math.Exp(-batches / BatchesToMeet);
}
