using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.Bfcl;

/// <summary>
/// Reads BFCL's files from a folder: <c>questions/BFCL_v3_CATEGORY.json</c> with <c>possible_answers/</c>, or the original
/// repository's layout (the files beside <c>possible_answer/</c>).
/// </summary>
internal static class BfclData
{
    /// <summary>The file of a category's questions, or null where the folder has none.</summary>
    public static string? QuestionFile(string folder, string category) =>
        FirstExisting(folder, category, "questions", "");

    /// <summary>The categories that a folder has, in the paper's order, then the others by name.</summary>
    public static IReadOnlyList<string> Categories(string folder)
    {
        string[] known = ["simple", "java", "javascript", "multiple", "parallel", "parallel_multiple", "irrelevance"];
        string questions = Path.Combine(folder, "questions");
        return Directory.EnumerateFiles(Directory.Exists(questions) ? questions : folder, "BFCL_v3_*.json")
            .Select(file => Path.GetFileNameWithoutExtension(file)["BFCL_v3_".Length..])
            .Order(StringComparer.Ordinal)
            .OrderBy(category => Array.IndexOf(known, category) is int at and >= 0 ? at : known.Length)
            .ToList();
    }

    /// <exception cref="InvalidDataException">A file is missing or a line is not in the format; the message names both.</exception>
    public static IReadOnlyList<BfclCase> Load(string folder, BfclCategory category)
    {
        string questions = QuestionFile(folder, category.Name)
            ?? throw new InvalidDataException($"No questions of category '{category.Name}' (BFCL_v3_{category.Name}.json) in {folder}.");
        bool hasAnswers = !category.IsIrrelevance && !category.IsRelevance;
        string? answers = FirstExisting(folder, category.Name, "possible_answers", "possible_answer");
        if (hasAnswers && answers is null)
        {
            throw new InvalidDataException($"No answers of category '{category.Name}' in {Path.Combine(folder, "possible_answers")}.");
        }

        List<PyValue> questionLines = JsonLines.Read(questions);
        List<PyValue> answerLines = hasAnswers ? JsonLines.Read(answers!) : [];
        if (hasAnswers && answerLines.Count != questionLines.Count)
        {
            throw new InvalidDataException($"{questions} has {questionLines.Count} lines, {answers} {answerLines.Count}.");
        }

        List<BfclCase> cases = new(questionLines.Count);
        for (int i = 0; i < questionLines.Count; i++)
        {
            try
            {
                cases.Add(Read(questionLines[i], hasAnswers ? answerLines[i] : null));
            }
            catch (PyException e)
            {
                throw new InvalidDataException($"{questions}, line {i + 1}: not a BFCL question with its answer ({e.Message}).", e);
            }
        }

        return cases;
    }

    private static BfclCase Read(PyValue question, PyValue? answer)
    {
        List<BfclAnswer> answers = [];
        foreach (PyValue truth in answer?.Entries["ground_truth"].Items ?? [])
        {
            KeyValuePair<string, PyValue> call = truth.Entries.EntryAt(0);
            answers.Add(new BfclAnswer(
                call.Key, call.Value.Entries.Select(entry => KeyValuePair.Create(entry.Key, entry.Value.Items)).ToList()));
        }

        return new BfclCase(question.Entries["id"].Text, question.Entries["function"].Items.ConvertAll(Function), answers);
    }

    private static BfclFunction Function(PyValue function)
    {
        PyDict parameters = function.Entries["parameters"].Entries;
        Dictionary<string, BfclParameter> documented = new(StringComparer.Ordinal);
        foreach (KeyValuePair<string, PyValue> entry in parameters["properties"].Entries)
        {
            PyDict schema = entry.Value.Entries;
            string? items = schema.TryGetValue("items", out PyValue? item) && item.Kind == PyKind.Dict && item.Entries.TryGetValue("type", out PyValue? type)
                ? type.Text
                : null;
            documented[entry.Key] = new BfclParameter(schema["type"].Text, items);
        }

        IEnumerable<string> required = parameters.TryGetValue("required", out PyValue? names) ? names.Items.Select(name => name.Text) : [];
        return new BfclFunction(function.Entries["name"].Text, documented, required.ToList());
    }

    private static string? FirstExisting(string folder, string category, params string[] subfolders) =>
        subfolders.Select(sub => Path.Combine(folder, sub, $"BFCL_v3_{category}.json")).FirstOrDefault(File.Exists);
}
