using System.Globalization;
using System.Text;
using System.Text.Json;
using ToolN1.Training.Evaluation.Harness;

namespace ToolN1.Training.Evaluation;

/// <summary>Two models on the same held-out rows, by category, as a Markdown table: Wilson's intervals and McNemar's exact test on the rows that only one has right.</summary>
public static class PairedTable
{
    /// <summary>Whether a results.jsonl is one of held-out rows, as <c>eval synthetic</c> writes it.</summary>
    public static bool IsCases(string file) => File.Exists(file) && File.ReadLines(file).FirstOrDefault() is string line && line.StartsWith("{\"category\":", StringComparison.Ordinal) && line.Contains("\"expected\":", StringComparison.Ordinal);

    /// <summary>Reads a results.jsonl.</summary>
    /// <exception cref="InvalidDataException">A line is not a case; names file and line.</exception>
    public static IReadOnlyList<EvaluationCase> Read(string file)
    {
        List<EvaluationCase> cases = [];
        foreach (string line in File.ReadLines(file))
        {
            try
            {
                cases.Add(JsonSerializer.Deserialize(line, EvaluationJson.Default.EvaluationCase) ?? throw new JsonException("null"));
            }
            catch (JsonException error)
            {
                throw new InvalidDataException($"{file}:{cases.Count + 1}: not a held-out case: {error.Message}", error);
            }
        }

        return cases;
    }

    /// <summary>The table: a row for each category in order of appearance, then one for all.</summary>
    /// <param name="before">The first model's cases.</param>
    /// <param name="after">The second's, on the same rows in the same order.</param>
    /// <exception cref="InvalidDataException">The rows differ.</exception>
    public static string Markdown(IReadOnlyList<EvaluationCase> before, IReadOnlyList<EvaluationCase> after)
    {
        if (before.Count != after.Count || before.Zip(after).Any(pair => (pair.First.Category, pair.First.Request, pair.First.Expected) != (pair.Second.Category, pair.Second.Request, pair.Second.Expected)))
        {
            throw new InvalidDataException("The two runs did not answer the same rows.");
        }

        (EvaluationCase Before, EvaluationCase After)[] pairs = [.. before.Zip(after)];
        StringBuilder table = new("| category | rows | before | after | gained | lost | p |\n|---|---|---|---|---|---|---|\n");
        foreach (IGrouping<string, (EvaluationCase, EvaluationCase)> category in pairs.GroupBy(pair => pair.Before.Category))
        {
            Row(table, category.Key, [.. category]);
        }

        Row(table, "all", pairs);
        return table.ToString();
    }

    private static void Row(StringBuilder table, string name, (EvaluationCase Before, EvaluationCase After)[] pairs)
    {
        int gained = pairs.Count(pair => !pair.Before.Correct && pair.After.Correct);
        int lost = pairs.Count(pair => pair.Before.Correct && !pair.After.Correct);
        WilsonInterval first = new(pairs.Count(pair => pair.Before.Correct), pairs.Length);
        WilsonInterval second = new(pairs.Count(pair => pair.After.Correct), pairs.Length);
        table.Append(CultureInfo.InvariantCulture, $"| {name} | {pairs.Length} | {first} | {second} | {gained} | {lost} | {EvaluationComparison.McNemar(lost, gained):G2} |\n");
    }
}
