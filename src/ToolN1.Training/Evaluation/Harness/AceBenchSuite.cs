using ToolN1.Engine.Chat;
using ToolN1.Training.Evaluation.AceBench;
using ToolN1.Training.Evaluation.Bfcl;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.Harness;

/// <summary>
/// ACEBench's Atom and Single-turn categories: time and conversation as one user turn, the functions as tools. The paper
/// does not publish its prompt for this benchmark, so parity mode uses the same handler text as for BFCL.
/// </summary>
internal static class AceBenchSuite
{
    public const string Atom = "Atom";
    public const string SingleTurn = "Single-turn";
    public const string MeanOfAll = "ACEBench (mean of the eight)";

    public static IReadOnlyList<BenchmarkCase> Load(string folder, IReadOnlyList<string> categories, bool fixedRules)
    {
        AceBenchScorer scorer = new(folder, fixedRules);
        return (categories.Count > 0 ? categories : scorer.Categories).SelectMany(category => scorer.Cases(category).Select(question => Case(scorer, category, question))).ToList();
    }

    /// <summary>Atom and Single-turn are means of their categories; the paper's number is the mean of all eight.</summary>
    public static IReadOnlyList<(string Name, double Value)> Headlines(IReadOnlyDictionary<string, CategoryScore> categories)
    {
        List<(string, double)> figures = [];
        Add(Atom, AceBenchScorer.PaperCategories.Where(name => name.StartsWith("normal_atom", StringComparison.Ordinal)));
        Add(SingleTurn, AceBenchScorer.PaperCategories.Where(name => name.StartsWith("normal_single_turn", StringComparison.Ordinal)));
        Add(MeanOfAll, AceBenchScorer.PaperCategories);
        return figures;

        void Add(string name, IEnumerable<string> needed)
        {
            if (needed.All(categories.ContainsKey))
            {
                figures.Add((name, needed.Average(category => categories[category].Accuracy)));
            }
        }
    }

    private static BenchmarkCase Case(AceBenchScorer scorer, string category, AceCase question)
    {
        string time = question.Time.Length > 0 ? question.Time + "\n\n" : "";
        ChatMessage user = new() { Role = ChatRole.User, Content = $"{time}Conversation history 1..t:\n{question.Question}" };
        List<PyValue> functions = question.Functions.Select(PyValue.Of).ToList();
        ToolNames names = new(question.Functions.Select(function => function["name"].Text));
        return new BenchmarkCase
        {
            Category = category,
            Id = question.Id,
            ParityMessages = [new ChatMessage { Role = ChatRole.System, Content = HandlerPrompt.System(functions) }, user],
            NativeMessages = [user],
            Utterances = SpokenText.Of(question.Question, "user:", "system:"),
            Tools = functions.ConvertAll(function => names.Tool(Schema(function))),
            ExpectedTools = question.Alternatives.SelectMany(answers => answers).Select(answer => answer.Name).Distinct(StringComparer.Ordinal).ToList(),
            Score = completion => Score(scorer, category, question.Id, names.Restore(completion)),
        };
    }

    /// <summary>The first block; without one, the benchmark's own text form after the thinking.</summary>
    private static ScoredReply Score(AceBenchScorer scorer, string category, string id, string completion)
    {
        if (!BfclReply.HasBlock(completion))
        {
            int thought = completion.IndexOf("</think>", StringComparison.Ordinal);
            EvaluationVerdict verdict = scorer.ScoreText(category, id, thought < 0 ? completion : completion[(thought + "</think>".Length)..], out List<AceCall>? read);
            return ScoredReply.Of(verdict, read?.ConvertAll(call => new BfclCall(PyValue.Of(call.Name), call.Arguments.Entries)));
        }

        return BfclReply.Decode(completion, out List<BfclCall> calls) is not null
            ? ScoredReply.Of(EvaluationVerdict.Wrong(AceBenchScorer.WrongOutputFormat), null)
            : ScoredReply.Of(scorer.ScoreCalls(category, id, ScoredReply.Value(calls)), calls);
    }

    private static PyValue Schema(PyValue function)
    {
        PyValue copy = function.Clone();
        if (!copy.Entries.TryGetValue("parameters", out PyValue? parameters) && !copy.Entries.TryGetValue("arguments", out parameters))
        {
            parameters = PyValue.Of(new PyDict());
        }

        if (parameters.Kind != PyKind.Dict || !parameters.Entries.ContainsKey("type"))
        {
            parameters = PyValue.Of(new PyDict { ["type"] = PyValue.Of("object"), ["properties"] = PyValue.Of(new PyDict()) });
        }

        copy.Entries.Remove("arguments");
        copy.Entries["parameters"] = parameters;
        return copy;
    }
}
