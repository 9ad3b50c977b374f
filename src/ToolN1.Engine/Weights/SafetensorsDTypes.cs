using static TorchSharp.torch;

namespace ToolN1.Engine.Weights;

/// <summary>The dtypes that weights may have on disk.</summary>
internal static class SafetensorsDTypes
{
    public static ScalarType? Parse(string name) => name switch
    {
        "BF16" => ScalarType.BFloat16,
        "F16" => ScalarType.Float16,
        "F32" => ScalarType.Float32,
        _ => null,
    };

    public static string NameOf(ScalarType dtype) => dtype switch
    {
        ScalarType.BFloat16 => "BF16",
        ScalarType.Float16 => "F16",
        ScalarType.Float32 => "F32",
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Weights are stored as bf16, f16 or f32."),
    };

    /// <summary>transformers' name of a dtype, for config.json.</summary>
    public static string TorchNameOf(ScalarType dtype) => dtype switch
    {
        ScalarType.BFloat16 => "bfloat16",
        ScalarType.Float16 => "float16",
        _ => "float32",
    };

    public static int SizeOf(ScalarType dtype) => dtype == ScalarType.Float32 ? 4 : 2;
}
