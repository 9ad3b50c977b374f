using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.Harness;

/// <summary>A published row to print beside a run: the user brings it, with its source.</summary>
/// <param name="Name">The model.</param>
/// <param name="Source">Where the numbers stand.</param>
/// <param name="Scores">By the run's headline or category name, in percent.</param>
public sealed record ReferenceRow(string Name, string Source, IReadOnlyDictionary<string, double> Scores)
{
    /// <summary>Reads <c>[{"name", "source", "scores": {figure: percent}}]</c>.</summary>
    /// <exception cref="InvalidDataException">Not such a file.</exception>
    public static IReadOnlyList<ReferenceRow> Load(string file)
    {
        try
        {
            return PyJson.Parse(File.ReadAllText(file)).Items.ConvertAll(row => new ReferenceRow(
                row.Entries["name"].Text,
                row.Entries["source"].Text,
                row.Entries["scores"].Entries.ToDictionary(
                    score => score.Key, score => score.Value.Kind == PyKind.Float ? score.Value.Number : (double)score.Value.Integer, StringComparer.Ordinal)));
        }
        catch (Exception e) when (e is PyException or FormatException)
        {
            throw new InvalidDataException($"{file}: not a list of reference rows ({e.Message}).", e);
        }
    }
}
