using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace ToolN1.Training.Jobs.Hosting;

/// <summary>The database and limits of training; section <c>ToolN1</c>. Where the rest is kept is <see cref="ToolN1.Training.Hosting.DataOptions"/>.</summary>
public sealed class TrainingOptions
{
    /// <summary>The section's name.</summary>
    public const string SectionName = "ToolN1";

    /// <summary>The database.</summary>
    [ValidateObjectMembers]
    public DatabaseOptions Database { get; set; } = new();

    /// <summary>Limits.</summary>
    [ValidateObjectMembers]
    public TrainingLimits Training { get; set; } = new();
}

/// <summary>The database that holds jobs and models; section <c>ToolN1:Database</c>.</summary>
public sealed class DatabaseOptions
{
    /// <summary><c>sqlite</c> or <c>postgresql</c>.</summary>
    [RegularExpression("^(sqlite|postgresql)$", ErrorMessage = "ToolN1:Database:Provider must be sqlite or postgresql.")]
    public string Provider { get; set; } = "sqlite";

    /// <summary>How to reach it; PostgreSQL needs one, SQLite's default is <c>tooln1.db</c> in the data directory.</summary>
    public string? ConnectionString { get; set; }
}

/// <summary>Limits of training; section <c>ToolN1:Training</c>.</summary>
public sealed class TrainingLimits
{
    /// <summary>Most rows of a held-out file that an evaluation answers.</summary>
    [Range(1, 100_000, ErrorMessage = "ToolN1:Training:MaxHeldOutRows must be between 1 and 100000.")]
    public int MaxHeldOutRows { get; set; } = 500;

    /// <summary>Trained models that are in memory at once beside the first and the live one; the one unused longest goes.</summary>
    [Range(1, 1000, ErrorMessage = "ToolN1:Training:MaxLoadedModels must be between 1 and 1000.")]
    public int MaxLoadedModels { get; set; } = 4;
}

/// <summary>Checks of <see cref="TrainingOptions"/>, generated from its attributes.</summary>
[OptionsValidator]
internal sealed partial class TrainingOptionsValidator : IValidateOptions<TrainingOptions>;

/// <summary>What spans several fields.</summary>
internal sealed class TrainingOptionsCrossFieldValidator : IValidateOptions<TrainingOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, TrainingOptions options) =>
        options.Database is { Provider: "postgresql", ConnectionString: null or "" }
            ? ValidateOptionsResult.Fail("ToolN1:Database:ConnectionString must be set for PostgreSQL.")
            : ValidateOptionsResult.Success;
}
