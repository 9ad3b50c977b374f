using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.AceBench;

/// <summary>
/// ACEBench's checker for "normal" categories (Atom, Single-turn), in the official order of checks. With
/// <paramref name="fixedRules"/> the quirks of docs/evaluation.md are put right.
/// </summary>
internal sealed class AceChecker(bool fixedRules)
{
    private const string Unclear = "simple_function_checker:unclear";

    private readonly AceValues _values = new(fixedRules);

    /// <summary>The verdict: any alternative of the answer will do; else the first alternative's error.</summary>
    /// <exception cref="PyException">Where the official checker would crash.</exception>
    public EvaluationVerdict Check(AceCase question, IReadOnlyList<AceCall> calls)
    {
        EvaluationVerdict? first = null;
        foreach (IReadOnlyList<AceAnswer> answers in question.Alternatives)
        {
            EvaluationVerdict verdict = CheckAlternative(question, calls, answers);
            if (verdict.Valid)
            {
                return verdict;
            }

            first ??= verdict;
        }

        return first ?? throw new PyException("IndexError", "no reference answer");
    }

    private EvaluationVerdict CheckAlternative(AceCase question, IReadOnlyList<AceCall> calls, IReadOnlyList<AceAnswer> answers)
    {
        if (calls.Count != answers.Count)
        {
            return EvaluationVerdict.Wrong("wrong functions number", $"{calls.Count} calls instead of {answers.Count}");
        }

        foreach (AceCall call in calls)
        {
            if (calls.Count(other => other.Name == call.Name) != answers.Count(answer => answer.Name == call.Name))
            {
                return EvaluationVerdict.Wrong("function_mismatch", call.Name);
            }
        }

        return fixedRules ? MatchOneToOne(question, calls, answers) : MatchAny(question, calls, answers);
    }

    /// <summary>Quirk: calls of one function are not matched one to one; each answer needs any call that passes.</summary>
    private EvaluationVerdict MatchAny(AceCase question, IReadOnlyList<AceCall> calls, IReadOnlyList<AceAnswer> answers)
    {
        foreach (AceAnswer answer in answers)
        {
            PyDict? function = Describe(question, answer);
            EvaluationVerdict last = EvaluationVerdict.Correct;
            EvaluationVerdict candidate = EvaluationVerdict.Correct;
            foreach (AceCall call in calls)
            {
                if (call.Name == answer.Name)
                {
                    last = candidate = CheckCall(function, call, answer);
                }
                else
                {
                    // Quirk: where a call of another function comes last, its name is what is reported.
                    last = EvaluationVerdict.Wrong(Unclear);
                }

                if (last.Valid)
                {
                    break;
                }
            }

            if (!last.Valid)
            {
                return last.ErrorType == Unclear ? last with { Detail = $"{candidate.ErrorType}: {candidate.Detail}" } : last;
            }
        }

        return EvaluationVerdict.Correct;
    }

    private EvaluationVerdict MatchOneToOne(AceCase question, IReadOnlyList<AceCall> calls, IReadOnlyList<AceAnswer> answers)
    {
        int[] owner = Enumerable.Repeat(-1, calls.Count).ToArray();
        EvaluationVerdict last = EvaluationVerdict.Correct;
        for (int i = 0; i < answers.Count; i++)
        {
            if (!Assign(i, new bool[calls.Count]))
            {
                return last;
            }
        }

        return EvaluationVerdict.Correct;

        bool Assign(int answer, bool[] tried)
        {
            for (int index = 0; index < calls.Count; index++)
            {
                if (tried[index] || calls[index].Name != answers[answer].Name)
                {
                    continue;
                }

                EvaluationVerdict verdict = CheckCall(Describe(question, answers[answer]), calls[index], answers[answer]);
                if (!verdict.Valid)
                {
                    last = verdict;
                    continue;
                }

                tried[index] = true;
                if (owner[index] < 0 || Assign(owner[index], tried))
                {
                    owner[index] = answer;
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Quirk: the first description whose name is contained in the answer's name; exact with <c>--fixed</c>.</summary>
    private PyDict? Describe(AceCase question, AceAnswer answer) => question.Functions.FirstOrDefault(function =>
        fixedRules ? function["name"].Text == answer.Name : answer.Key.Contains(function["name"].Text, StringComparison.Ordinal));

    private EvaluationVerdict CheckCall(PyDict? function, AceCall call, AceAnswer answer)
    {
        if (function is null)
        {
            throw new PyException("TypeError", "'NoneType' object is not subscriptable");
        }

        bool noArguments = call.Arguments.Kind == PyKind.Dict && call.Arguments.Entries.Count == 0;
        PyDict described = function["parameters"].Entries;
        if (noArguments && described.Count == 0)
        {
            return EvaluationVerdict.Correct;
        }

        if (noArguments && fixedRules && answer.Arguments.Entries.Count == 0)
        {
            // Quirk: a call without arguments fails wherever the function has parameters, even where the answer has none.
            return EvaluationVerdict.Correct;
        }

        if (noArguments || described.Count == 0)
        {
            return EvaluationVerdict.Wrong("wrong_param", answer.Name + (noArguments ? ": no arguments" : FailureClass.TakesNone));
        }

        PyDict parameters = described["properties"].Entries;
        if (PyValue.Equal(answer.Arguments, described["properties"]))
        {
            return EvaluationVerdict.Correct;
        }

        if (answer.Arguments.Entries.Count == 0)
        {
            return EvaluationVerdict.Wrong("wrong_param", answer.Name + FailureClass.TakesNone);
        }

        if (function["name"].Text != call.Name)
        {
            return EvaluationVerdict.Wrong("wrong_function_name", call.Name);
        }

        foreach (PyValue name in described["required"].Items)
        {
            if (!call.Arguments.Entries.ContainsKey(name.Text))
            {
                return EvaluationVerdict.Wrong("lack_args", $"{answer.Name}.{name.Text}");
            }
        }

        foreach (KeyValuePair<string, PyValue> argument in call.Arguments.Entries)
        {
            if (!parameters.TryGetValue(argument.Key, out PyValue? parameter) || !answer.Arguments.Entries.TryGetValue(argument.Key, out PyValue? wanted))
            {
                return EvaluationVerdict.Wrong("addition_args", $"{answer.Name}.{argument.Key}");
            }

            if (CheckValue(parameter.Entries, argument.Value, wanted) is string error)
            {
                return EvaluationVerdict.Wrong(error, $"{answer.Name}.{argument.Key}");
            }
        }

        return EvaluationVerdict.Correct;
    }

    private string? CheckValue(PyDict parameter, PyValue value, PyValue answer)
    {
        string type = parameter["type"].Text;
        PyKind? expected = AceTypes.Expected(type);
        PyKind? item = AceTypes.ItemType(parameter, type) is string itemType ? AceTypes.Expected(itemType) : null;
        bool hasItems = AceTypes.ItemType(parameter, type) is not null;
        if (type == "float" && value.Kind == PyKind.Int)
        {
            value = value.IntToFloat();
        }

        if (AceValues.CheckType(value, answer, expected, hasItems, out bool isVariable) is string typeError)
        {
            return typeError;
        }

        if (fixedRules && (isVariable || expected is PyKind.Int or PyKind.Float or PyKind.Bool))
        {
            // Quirk: numbers, flags and enumerations are only checked for their type.
            return AceValues.SameLeaf(value, answer) || (answer.Kind == PyKind.Bool && value.Is(answer.IsTruthy ? "true" : "false")) ? null : "value_error";
        }

        if (isVariable)
        {
            return null;
        }

        return expected switch
        {
            PyKind.Dict => _values.CheckDict(value, answer),
            PyKind.List when item == PyKind.Dict && type == "objectArray" =>
                throw new PyException("TypeError", "dict_checker() missing 1 required positional argument: 'func_name'"),
            PyKind.List when item == PyKind.Dict => _values.CheckListOfDicts(value, answer),
            PyKind.Str => _values.CheckString(value, answer),
            PyKind.List => AceValues.CheckList(value, answer),
            _ => null,
        };
    }
}
