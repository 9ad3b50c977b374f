using ToolN1.Engine.Chat;
using ToolN1.Training.Evaluation.ApiBank;
using ToolN1.Training.Evaluation.Bfcl;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.Harness;

/// <summary>
/// API-Bank's Call mode: the dialogue so far as one user turn, the offered APIs as tools. The paper does not publish its
/// prompt for this benchmark, so parity mode uses the same handler text as for BFCL.
/// </summary>
internal static class ApiBankSuite
{
    private const string Category = "level-1";
    private const string Descriptions = "API descriptions:\n";
    private const string Request = "Generate API Request:";
    private const string Year = "The current year is 2023.\n";

    public static IReadOnlyList<BenchmarkCase> Load(string folder, IReadOnlyList<string> categories, bool fixedRules)
    {
        if (categories.FirstOrDefault(name => name != Category) is string unknown)
        {
            throw new InvalidDataException($"API-Bank has no category '{unknown}'; Call mode is '{Category}'.");
        }

        string file = Path.Combine(folder, "level-1-api.json");
        if (!File.Exists(file) || !PyJson.TryParse(File.ReadAllText(file), out PyValue? samples))
        {
            throw new InvalidDataException($"{file} is missing or not JSON.");
        }

        ApiBankScorer scorer = new(folder, fixedRules);
        return samples.Items.ConvertAll(sample => Case(scorer, sample.Entries));
    }

    private static BenchmarkCase Case(ApiBankScorer scorer, PyDict sample)
    {
        string file = sample["file"].Text;
        int id = (int)sample["id"].Integer;
        string instruction = sample["instruction"].Text;
        int at = instruction.IndexOf(Descriptions, StringComparison.Ordinal);
        List<PyValue> apis = at < 0
            ? throw new InvalidDataException($"API-Bank {file} {id}: the instruction has no API descriptions.")
            : instruction[(at + Descriptions.Length)..].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => PyJson.Parse(line)).ToList();
        string dialogue = sample["input"].Text.TrimEnd();
        dialogue = Year + (dialogue.EndsWith(Request, StringComparison.Ordinal) ? dialogue[..^Request.Length].TrimEnd() : dialogue);
        ChatMessage user = new() { Role = ChatRole.User, Content = dialogue };
        ToolNames names = new(apis.Select(api => api.Entries["name"].Text));
        return new BenchmarkCase
        {
            Category = Category,
            Id = $"{file}#{id}",
            ParityMessages = [new ChatMessage { Role = ChatRole.System, Content = HandlerPrompt.System(apis) }, user],
            NativeMessages = [user],
            Utterances = SpokenText.Of(sample["input"].Text, "User:", "AI:", "API-Request:", Request),
            Tools = apis.ConvertAll(api => names.Tool(Schema(api.Entries))),
            ExpectedTools = [scorer.ExpectedApi(file, id)],
            Score = completion => Score(scorer, file, id, names.Restore(completion)),
        };
    }

    /// <summary>The first call of the first block; without a block, the benchmark's own text form after the thinking.</summary>
    private static ScoredReply Score(ApiBankScorer scorer, string file, int id, string completion)
    {
        if (!BfclReply.HasBlock(completion))
        {
            int thought = completion.IndexOf("</think>", StringComparison.Ordinal);
            EvaluationVerdict verdict = scorer.ScoreText(file, id, thought < 0 ? completion : completion[thought..], out (string Name, PyDict Arguments)? read);
            return ScoredReply.Of(verdict, read is (string name, PyDict arguments) ? [new BfclCall(PyValue.Of(name), arguments)] : null);
        }

        if (BfclReply.Decode(completion, out List<BfclCall> calls) is not null)
        {
            return ScoredReply.Of(EvaluationVerdict.Wrong("no_api_call"), null);
        }

        return calls.Count == 0 ? ScoredReply.Of(EvaluationVerdict.Wrong("no_api_call", FailureClass.NoCall), calls)
            : !calls[0].Name.IsString ? ScoredReply.Of(EvaluationVerdict.Wrong("no_api_call"), null)
            : ScoredReply.Of(scorer.ScoreCall(file, id, calls[0].Name.Text, calls[0].Arguments), calls[..1]);
    }

    private static PyValue Schema(PyDict api)
    {
        PyDict properties = [];
        foreach (KeyValuePair<string, PyValue> parameter in api["input_parameters"].Entries)
        {
            string type = parameter.Value.Entries["type"].Text;
            PyDict schema = new()
            {
                ["type"] = PyValue.Of(type switch { "int" => "integer", "float" => "number", "bool" => "boolean", "list" or "list(str)" => "array", _ => "string" }),
                ["description"] = parameter.Value.Entries["description"],
            };
            if (type == "list(str)")
            {
                schema["items"] = PyValue.Of(new PyDict { ["type"] = PyValue.Of("string") });
            }

            properties[parameter.Key] = PyValue.Of(schema);
        }

        return PyValue.Of(new PyDict
        {
            ["name"] = api["name"],
            ["description"] = api["description"],
            ["parameters"] = PyValue.Of(new PyDict { ["type"] = PyValue.Of("object"), ["properties"] = PyValue.Of(properties) }),
        });
    }
}
