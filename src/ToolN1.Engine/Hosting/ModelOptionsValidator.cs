using Microsoft.Extensions.Options;

namespace ToolN1.Engine.Hosting;

/// <summary>Checks of <see cref="ModelOptions"/>, generated from its attributes.</summary>
[OptionsValidator]
internal sealed partial class ModelOptionsValidator : IValidateOptions<ModelOptions>;

/// <summary>Refuses dtypes that this build does not serve, by name.</summary>
internal sealed class ModelDTypeValidator : IValidateOptions<ModelOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, ModelOptions options) => options.DType switch
    {
        "auto" or "float32" or "bfloat16" => ValidateOptionsResult.Success,
        "int8" or "int4" => ValidateOptionsResult.Fail(
            $"{ModelOptions.SectionName}:DType is '{options.DType}': quantised weights are not supported yet; use auto, float32 or bfloat16."),
        _ => ValidateOptionsResult.Fail($"{ModelOptions.SectionName}:DType is '{options.DType}'; it must be auto, float32 or bfloat16."),
    };
}
