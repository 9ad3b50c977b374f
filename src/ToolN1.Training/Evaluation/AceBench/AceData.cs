using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.AceBench;

/// <summary>Reads <c>data_CATEGORY.json</c> and <c>possible_answer/data_CATEGORY.json</c>, aligned by line.</summary>
internal static class AceData
{
    public static IReadOnlyList<string> Categories(string folder)
    {
        string[] known = AceBenchScorer.PaperCategories.ToArray();
        return Directory.EnumerateFiles(folder, "data_normal_*.json")
            .Select(file => Path.GetFileNameWithoutExtension(file)["data_".Length..])
            .Order(StringComparer.Ordinal)
            .OrderBy(category => Array.IndexOf(known, category) is int at and >= 0 ? at : known.Length)
            .ToList();
    }

    /// <exception cref="InvalidDataException">A file is missing or a line is not in the format; the message names both.</exception>
    public static IReadOnlyList<AceCase> Load(string folder, string category)
    {
        string questions = Path.Combine(folder, $"data_{category}.json");
        string answers = Path.Combine(folder, "possible_answer", $"data_{category}.json");
        foreach (string file in (string[])[questions, answers])
        {
            if (!File.Exists(file))
            {
                throw new InvalidDataException($"ACEBench category '{category}': {file} is missing.");
            }
        }

        List<PyValue> questionLines = JsonLines.Read(questions);
        List<PyValue> answerLines = JsonLines.Read(answers);
        if (questionLines.Count != answerLines.Count)
        {
            throw new InvalidDataException($"{questions} has {questionLines.Count} lines, {answers} {answerLines.Count}.");
        }

        List<AceCase> cases = new(questionLines.Count);
        for (int i = 0; i < questionLines.Count; i++)
        {
            try
            {
                cases.Add(Read(questionLines[i].Entries, answerLines[i].Entries["ground_truth"]));
            }
            catch (PyException e)
            {
                throw new InvalidDataException($"{questions}, line {i + 1}: not an ACEBench question with its answer ({e.Message}).", e);
            }
        }

        return cases;
    }

    private static AceCase Read(PyDict question, PyValue truth)
    {
        List<PyValue> alternatives = truth.Kind == PyKind.List ? truth.Items : [truth];
        return new AceCase(
            question["id"].Text,
            question["question"].Text,
            question.TryGetValue("time", out PyValue? time) ? time.Text : "",
            question["function"].Items.ConvertAll(function => function.Entries),
            alternatives.ConvertAll<IReadOnlyList<AceAnswer>>(calls => calls.Entries.Select(call => new AceAnswer(call.Key, call.Value)).ToList()));
    }
}
