using System.CommandLine;
using System.Globalization;
using ToolN1.Training.Evaluation;
using ToolN1.Training.Evaluation.Harness;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 eval compare A B</c>: two runs, case by case.</summary>
internal static class EvalCompareCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        Argument<DirectoryInfo> first = new("A") { Description = "A run's folder." };
        Argument<DirectoryInfo> second = new("B") { Description = "Another run's folder, on the same benchmark." };
        Command command = new("compare", "Paired difference of two runs with McNemar's test, and the cases that flipped; of two folders of eval synthetic a table by category.") { first, second };
        command.SetAction(options =>
        {
            try
            {
                string a = options.GetRequiredValue(first).FullName;
                string b = options.GetRequiredValue(second).FullName;
                if (PairedTable.IsCases(Path.Combine(a, "results.jsonl")))
                {
                    Console.Write(PairedTable.Markdown(PairedTable.Read(Path.Combine(a, "results.jsonl")), PairedTable.Read(Path.Combine(b, "results.jsonl"))));
                    return 0;
                }

                Write(EvaluationComparison.Create(EvaluationStore.Read(a), EvaluationStore.Read(b)));
                return 0;
            }
            catch (Exception e) when (e is InvalidDataException or IOException)
            {
                Console.Error.WriteLine(e.Message);
                return 1;
            }
        });
        return command;
    }

    private static void Write(EvaluationComparison comparison)
    {
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{comparison.Pairs} paired cases: A {comparison.CorrectA} right, B {comparison.CorrectB} right, B − A = {100 * comparison.Difference:+0.00;-0.00;0.00} points"));
        if (comparison.OnlyInA + comparison.OnlyInB > 0)
        {
            Console.WriteLine($"not compared: {comparison.OnlyInA} cases only in A, {comparison.OnlyInB} only in B");
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"McNemar's exact test: {comparison.Lost.Count} lost, {comparison.Gained.Count} gained, p = {comparison.PValue:G3}"));
        Flips("lost (A right, B wrong)", comparison.Lost, pair => pair.B);
        Flips("gained (A wrong, B right)", comparison.Gained, pair => pair.A);
    }

    private static void Flips(
        string title, IReadOnlyList<(EvaluationResult A, EvaluationResult B)> flips, Func<(EvaluationResult A, EvaluationResult B), EvaluationResult> wrong)
    {
        Console.WriteLine($"\n{title}:");
        foreach ((EvaluationResult A, EvaluationResult B) pair in flips)
        {
            EvaluationResult result = wrong(pair);
            Console.WriteLine($"  {result.Category} {result.Id}: {result.Failure} ({result.ErrorType}{(result.Detail is null ? "" : ", " + result.Detail)})");
        }
    }
}
