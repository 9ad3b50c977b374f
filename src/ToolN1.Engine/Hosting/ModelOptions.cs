using System.ComponentModel.DataAnnotations;

namespace ToolN1.Engine.Hosting;

/// <summary>Which model is served, and where; section <c>ToolN1:Model</c>.</summary>
public sealed class ModelOptions
{
    /// <summary>The section's name.</summary>
    public const string SectionName = "ToolN1:Model";

    /// <summary>
    /// A Hugging Face folder. Null: the embedded model beside the program. A relative path is looked for in the working
    /// directory, then beside the program.
    /// </summary>
    [MinLength(1)]
    public string? Path { get; set; }

    /// <summary>Served model id. Null: the folder's name.</summary>
    [MinLength(1)]
    public string? Name { get; set; }

    /// <summary><c>auto</c> (a GPU if there is one), <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</summary>
    [RegularExpression("^(auto|cpu|cuda(:[0-9]{1,3})?)$", ErrorMessage = SectionName + ":Device must be auto, cpu, cuda or cuda:N.")]
    public string Device { get; set; } = "auto";

    /// <summary><c>auto</c> (see <see cref="DTypeSelector"/>), <c>float32</c> or <c>bfloat16</c>.</summary>
    public string DType { get; set; } = "auto";

    /// <summary><c>auto</c>, <c>tool-n1</c> or <c>hermes</c>.</summary>
    [RegularExpression("^(auto|tool-n1|hermes)$", ErrorMessage = SectionName + ":ChatFormat must be auto, tool-n1 or hermes.")]
    public string ChatFormat { get; set; } = "auto";
}
