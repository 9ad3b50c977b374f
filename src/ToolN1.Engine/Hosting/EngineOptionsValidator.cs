using Microsoft.Extensions.Options;

namespace ToolN1.Engine.Hosting;

/// <summary>Range checks of <see cref="EngineOptions"/>, generated from its attributes.</summary>
[OptionsValidator]
internal sealed partial class EngineOptionsValidator : IValidateOptions<EngineOptions>;

/// <summary>Checks that take several fields of <see cref="EngineOptions"/>.</summary>
internal sealed class EngineOptionsCrossFieldValidator : IValidateOptions<EngineOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, EngineOptions options)
    {
        if (options is { MaxSequences: { } sequences, MaxBatchedTokens: { } tokens } && tokens < sequences)
        {
            return ValidateOptionsResult.Fail(
                $"{EngineOptions.SectionName}:MaxBatchedTokens ({tokens}) must be at least MaxSequences ({sequences}): every running sequence computes a token in every step.");
        }

        return ValidateOptionsResult.Success;
    }
}
