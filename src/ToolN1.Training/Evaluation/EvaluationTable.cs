using System.Text;

namespace ToolN1.Training.Evaluation;

/// <summary>Results by category as a Markdown table.</summary>
public static class EvaluationTable
{
    /// <summary>
    /// Categories of the form <c>set-kind</c> become rows and columns; each cell holds percent correct with its 95%
    /// interval after Wilson.
    /// </summary>
    public static string Markdown(IReadOnlyList<EvaluationCase> cases)
    {
        string[] sets = [.. cases.Select(item => Split(item.Category).Set).Distinct()];
        string[] kinds = [.. cases.Select(item => Split(item.Category).Kind).Distinct()];
        StringBuilder table = new();
        table.Append("| Set | ").AppendJoin(" | ", kinds).Append(" | all |\n|---|").Insert(table.Length, "---|", kinds.Length + 1).Append('\n');
        foreach (string set in sets)
        {
            table.Append("| ").Append(set);
            foreach (string kind in kinds)
            {
                table.Append(" | ").Append(Cell(cases.Where(item => Split(item.Category) == (set, kind))));
            }

            table.Append(" | ").Append(Cell(cases.Where(item => Split(item.Category).Set == set))).Append(" |\n");
        }

        return table.ToString();
    }

    private static (string Set, string Kind) Split(string category)
    {
        int dash = category.LastIndexOf('-');
        return dash < 0 ? (category, "cases") : (category[..dash], category[(dash + 1)..]);
    }

    private static string Cell(IEnumerable<EvaluationCase> cases)
    {
        EvaluationCase[] all = [.. cases];
        return all.Length == 0 ? "–" : new WilsonInterval(all.Count(item => item.Correct), all.Length).ToString();
    }
}
