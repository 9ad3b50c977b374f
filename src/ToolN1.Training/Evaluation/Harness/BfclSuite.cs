using ToolN1.Engine.Chat;
using ToolN1.Training.Evaluation.Bfcl;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.Harness;

/// <summary>BFCL's questions and the paper's table.</summary>
internal static class BfclSuite
{
    public const string Simple = "Simple";
    public const string NonLive = "Non-live";
    public const string LiveOfCalls = "Live (four call categories)";
    public const string LiveOfAll = "Live (all cases, with irrelevance and relevance)";
    public const string OverallOfCalls = "Overall";
    public const string OverallOfAll = "Overall (Live of all cases)";

    private static readonly string[] Calls = ["simple", "multiple", "parallel", "parallel_multiple"];

    public static IReadOnlyList<BenchmarkCase> Load(string folder, IReadOnlyList<string> categories, bool fixedRules)
    {
        BfclScorer scorer = new(folder, fixedRules);
        List<BenchmarkCase> cases = [];
        foreach (string name in categories.Count > 0 ? categories : scorer.Categories)
        {
            BfclCategory category = new(name);
            IReadOnlyList<BfclCase> loaded = BfclData.Load(folder, category);
            List<PyValue> questions = JsonLines.Read(BfclData.QuestionFile(folder, name)!);
            for (int i = 0; i < questions.Count; i++)
            {
                cases.Add(Case(scorer, category, i, questions[i].Entries, loaded[i]));
            }
        }

        return cases;
    }

    private static BenchmarkCase Case(BfclScorer scorer, BfclCategory category, int index, PyDict question, BfclCase loaded)
    {
        List<ChatMessage> turns = question["question"].Items[0].Items.ConvertAll(Message);
        List<PyValue> functions = question["function"].Items;
        ToolNames names = new(loaded.Functions.Select(function => function.Name));
        return new BenchmarkCase
        {
            Category = category.Name,
            Id = loaded.Id,
            ParityMessages =
            [
                new ChatMessage { Role = ChatRole.System, Content = HandlerPrompt.System(BfclFunctionDocs.ForPrompt(functions, category.Language)) },
                // A system message of the question is replaced by the handler's, not kept beside it.
                .. turns.Where(turn => turn.Role != ChatRole.System),
            ],
            NativeMessages = turns,
            Utterances = turns.Where(turn => turn.Role == ChatRole.User).Select(turn => turn.Content ?? "").ToList(),
            Tools = BfclFunctionDocs.ForTools(functions, category.Language).ConvertAll(names.Tool),
            ExpectedTools = loaded.Answers.Select(answer => answer.Function).Distinct(StringComparer.Ordinal).ToList(),
            Score = completion => ScoredReply.Of(scorer.Score(category.Name, index, names.Restore(completion), out List<BfclCall>? calls), calls),
        };
    }

    private static ChatMessage Message(PyValue message) => new()
    {
        Role = message.Entries["role"].Text switch { "system" => ChatRole.System, "assistant" => ChatRole.Assistant, "tool" => ChatRole.Tool, _ => ChatRole.User },
        Content = message.Entries["content"].Text,
    };

    /// <summary>
    /// Simple is the mean of Python, Java and JavaScript; Non-live the mean of the four; Live is weighted by cases, of the
    /// four call categories (Tool-N1's columns) and of all six (the published baselines'); Overall the mean of the halves.
    /// </summary>
    public static IReadOnlyList<(string Name, double Value)> Headlines(IReadOnlyDictionary<string, CategoryScore> categories)
    {
        List<(string, double)> figures = [];
        double? simple = Mean(categories, "simple", "java", "javascript");
        double? nonLive = simple is double s && Mean(categories, "multiple", "parallel", "parallel_multiple") is double rest ? ((3 * rest) + s) / 4 : null;
        string[] liveCalls = Calls.Select(name => "live_" + name).ToArray();
        double? live = Weighted(categories, liveCalls);
        double? liveAll = Weighted(categories, [.. liveCalls, "live_irrelevance", "live_relevance"]);
        Add(Simple, simple);
        Add(NonLive, nonLive);
        Add(LiveOfCalls, live);
        Add(LiveOfAll, liveAll);
        Add(OverallOfCalls, (nonLive + live) / 2);
        Add(OverallOfAll, (nonLive + liveAll) / 2);
        return figures;

        void Add(string name, double? value)
        {
            if (value is double known)
            {
                figures.Add((name, known));
            }
        }
    }

    private static double? Mean(IReadOnlyDictionary<string, CategoryScore> categories, params string[] names) =>
        names.All(categories.ContainsKey) ? names.Average(name => categories[name].Accuracy) : null;

    private static double? Weighted(IReadOnlyDictionary<string, CategoryScore> categories, string[] names) => names.All(categories.ContainsKey)
        ? names.Sum(name => categories[name].Correct) / (double)names.Sum(name => categories[name].Cases)
        : null;
}
