using System.ComponentModel.DataAnnotations;

namespace ToolN1.Training.Hosting;

/// <summary>Where the server keeps what outlives it; section <c>ToolN1</c>.</summary>
public sealed class DataOptions
{
    /// <summary>The section's name.</summary>
    public const string SectionName = "ToolN1";

    /// <summary>Folder of jobs, files and evaluations; a relative path is taken from the working directory.</summary>
    [Required]
    public string DataDirectory { get; set; } = "data";
}
