using ToolN1.Engine.Kernels;
using static TorchSharp.torch;

namespace ToolN1.Engine.Tests.Kernels;

/// <summary>The product kernels by name, so that theories can list those that this CPU lacks too.</summary>
internal static class PanelKernels
{
    public const string Float32 = "float32 multiply-add";

    public const string MultiplyAdd = "bfloat16 multiply-add";

    public const string DotProduct = "bfloat16 dot product";

    public const string Tiles = "bfloat16 tiles";

    public static string[] BFloat16 => [MultiplyAdd, DotProduct, Tiles];

    public static TheoryData<string> All => [Float32, MultiplyAdd, DotProduct, Tiles];

    public static ScalarType DTypeOf(string name) => name == Float32 ? ScalarType.Float32 : ScalarType.BFloat16;

    /// <summary>Skips the test where the CPU or the system lacks the kernel.</summary>
    public static PanelKernel Get(string name)
    {
        PanelKernel? kernel = name switch
        {
            Float32 => MultiplyAddKernel<Float32Panel, float>.Instance,
            MultiplyAdd => MultiplyAddKernel<BFloat16Panel, ushort>.Instance,
            DotProduct => DotProductKernel.Instance,
            _ => TileKernel.Instance,
        };
        Assert.SkipWhen(kernel is null, $"There is no {name} here.");
        return kernel;
    }
}
