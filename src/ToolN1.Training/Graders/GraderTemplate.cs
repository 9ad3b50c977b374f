using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace ToolN1.Training.Graders;

/// <summary>
/// A text with places for values: <c>{{ item.answer }}</c>, <c>{{sample.output_tools[0].function.name}}</c>.
/// </summary>
internal sealed partial class GraderTemplate
{
    private readonly List<(string Text, IReadOnlyList<object>? Path)> _parts;

    private GraderTemplate(List<(string Text, IReadOnlyList<object>? Path)> parts) => _parts = parts;

    /// <summary>Reads a template.</summary>
    /// <param name="text">The text.</param>
    /// <param name="field">Named in errors.</param>
    /// <exception cref="GraderException">A place names neither <c>item</c> nor <c>sample</c>, or is not closed.</exception>
    public static GraderTemplate Parse(string text, string field)
    {
        List<(string, IReadOnlyList<object>?)> parts = [];
        int at = 0;
        for (int open = text.IndexOf("{{", StringComparison.Ordinal); open >= 0; open = text.IndexOf("{{", at, StringComparison.Ordinal))
        {
            int close = text.IndexOf("}}", open, StringComparison.Ordinal);
            if (close < 0)
            {
                throw new GraderException(field, "'{{' without '}}'");
            }

            parts.Add((text[at..open], null));
            parts.Add(("", ParsePath(text[(open + 2)..close].Trim(), field)));
            at = close + 2;
        }

        parts.Add((text[at..], null));
        return new GraderTemplate(parts);
    }

    /// <summary>The first place of the item that a sample does not have, as the template writes it; null when it has all.</summary>
    public string? MissingItem(GraderSample sample) => _parts
        .Where(part => part.Path is ["item", ..] && sample.Find(part.Path, out _) != GraderErrors.None)
        .Select(part => string.Concat(part.Path!.Select((step, index) => step is int number ? string.Create(CultureInfo.InvariantCulture, $"[{number}]") : index == 0 ? $"{step}" : $".{step}")))
        .FirstOrDefault();

    /// <summary>The text with its values.</summary>
    /// <returns>What kept a value from being found, or none.</returns>
    public GraderErrors Fill(GraderSample sample, out string text)
    {
        StringBuilder filled = new();
        text = "";
        foreach ((string part, IReadOnlyList<object>? path) in _parts)
        {
            filled.Append(part);
            if (path is null)
            {
                continue;
            }

            if (sample.Find(path, out string value) is GraderErrors error && error != GraderErrors.None)
            {
                return error;
            }

            filled.Append(value);
        }

        text = filled.ToString();
        return GraderErrors.None;
    }

    private static List<object> ParsePath(string path, string field)
    {
        if (!Shape().IsMatch(path))
        {
            throw new GraderException(field, $"'{{{{{path}}}}}' is not a path such as item.answer or sample.output_tools[0].function.name");
        }

        List<object> steps = [];
        foreach (Match step in Step().Matches(path))
        {
            steps.Add(step.Groups[2].Success ? int.Parse(step.Groups[2].Value, CultureInfo.InvariantCulture) : step.Groups[1].Value);
        }

        return steps[0] is not ("item" or "sample") ? throw new GraderException(field, $"'{steps[0]}' is not a namespace of templates; they are item and sample")
            : steps[0] is "sample" && steps[1] is not ("output_text" or "output_json" or "output_tools" or "choices")
                ? throw new GraderException(field, $"sample has no '{steps[1]}'; it has output_text, output_json, output_tools and choices")
            : steps;
    }

    [GeneratedRegex(@"^\w+\.[\w\-]+(\.[\w\-]+|\[\d{1,6}\])*$", RegexOptions.NonBacktracking)]
    private static partial Regex Shape();

    [GeneratedRegex(@"([\w\-]+)|\[(\d+)\]")]
    private static partial Regex Step();
}
