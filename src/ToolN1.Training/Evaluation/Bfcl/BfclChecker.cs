using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.Bfcl;

/// <summary>
/// BFCL's AST checker: the calls of a reply against the accepted answers, in the official order of checks, so that the
/// first failure has the official name. With <paramref name="fixedRules"/> the quirks of docs/evaluation.md are put right.
/// </summary>
/// <param name="fixedRules">False: agree with the official checker, bugs included.</param>
internal sealed class BfclChecker(bool fixedRules)
{
    private const string WrongName = "simple_function_checker:wrong_func_name";

    private readonly BfclValues _values = new(fixedRules);

    /// <summary>The verdict on decoded calls of a category that expects calls.</summary>
    /// <exception cref="PyException">Where the official checker would crash.</exception>
    public EvaluationVerdict Check(BfclCategory category, BfclCase question, List<BfclCall> calls)
    {
        if (category.IsParallel)
        {
            return CheckParallel(category.Language, question, calls);
        }

        string checker = category.IsMultiple ? "multiple_function_checker" : "simple_function_checker";
        if (calls.Count != (category.IsMultiple ? question.Answers.Count : 1))
        {
            return WrongCount(checker, question, calls);
        }

        BfclAnswer answer = question.Answers[0];
        BfclFunction function = category.IsMultiple ? Find(question, answer.Function) : question.Functions[0];
        return CheckCall(category.Language, function, calls[0], answer);
    }

    private static EvaluationVerdict WrongCount(string checker, BfclCase question, List<BfclCall> calls) =>
        EvaluationVerdict.Wrong(checker + ":wrong_count", $"{calls.Count} calls instead of {question.Answers.Count}");

    private static BfclFunction Find(BfclCase question, string name) =>
        question.Functions.FirstOrDefault(function => function.Name == name)
        ?? throw new PyException("TypeError", "'NoneType' object is not subscriptable");

    private EvaluationVerdict CheckParallel(BfclLanguage language, BfclCase question, List<BfclCall> calls)
    {
        if (calls.Count != question.Answers.Count)
        {
            return WrongCount("parallel_function_checker_no_order", question, calls);
        }

        // Quirk: the official matching is greedy, answer by answer; --fixed looks for any complete matching.
        int[] ownerOfCall = Enumerable.Repeat(-1, calls.Count).ToArray();
        EvaluationVerdict last = EvaluationVerdict.Correct;
        for (int i = 0; i < question.Answers.Count; i++)
        {
            last = EvaluationVerdict.Correct;
            if (!Match(language, question, calls, i, ownerOfCall, new bool[calls.Count], ref last))
            {
                return EvaluationVerdict.Wrong("parallel_function_checker_no_order:cannot_find_match", $"{last.ErrorType}: {last.Detail}");
            }
        }

        return EvaluationVerdict.Correct;
    }

    private bool Match(
        BfclLanguage language, BfclCase question, List<BfclCall> calls, int answer, int[] ownerOfCall, bool[] tried, ref EvaluationVerdict last)
    {
        BfclFunction function = Find(question, question.Answers[answer].Function);
        for (int index = 0; index < calls.Count; index++)
        {
            if (tried[index] || (ownerOfCall[index] >= 0 && !fixedRules))
            {
                continue;
            }

            EvaluationVerdict verdict = CheckCall(language, function, calls[index], question.Answers[answer]);
            if (!verdict.Valid)
            {
                // What a call of the right function fails at says more than the other functions' names.
                last = verdict.ErrorType == WrongName && !last.Valid ? last : verdict;
                continue;
            }

            tried[index] = true;
            if (ownerOfCall[index] < 0 || Match(language, question, calls, ownerOfCall[index], ownerOfCall, tried, ref last))
            {
                ownerOfCall[index] = answer;
                return true;
            }
        }

        return false;
    }

    private EvaluationVerdict CheckCall(BfclLanguage language, BfclFunction function, BfclCall call, BfclAnswer answer)
    {
        if (!call.Name.Is(function.Name))
        {
            return EvaluationVerdict.Wrong(WrongName, $"{PyText.Str(call.Name)} instead of {function.Name}");
        }

        foreach (string parameter in function.Required)
        {
            if (!call.Arguments.ContainsKey(parameter))
            {
                return EvaluationVerdict.Wrong("simple_function_checker:missing_required", $"{function.Name}.{parameter}");
            }
        }

        for (int i = 0; i < call.Arguments.Count; i++)
        {
            (string parameter, PyValue value) = call.Arguments.EntryAt(i);
            if (!function.Parameters.TryGetValue(parameter, out BfclParameter? documented) || answer.Accepted(parameter) is not List<PyValue> accepted)
            {
                return EvaluationVerdict.Wrong("simple_function_checker:unexpected_param", $"{function.Name}.{parameter}");
            }

            if (CheckValue(language, documented, value, accepted) is string error)
            {
                return EvaluationVerdict.Wrong(error, $"{function.Name}.{parameter}");
            }
        }

        foreach ((string parameter, List<PyValue> accepted) in answer.Parameters)
        {
            if (!call.Arguments.ContainsKey(parameter) && !BfclValues.MayBeLeftOut(accepted))
            {
                return EvaluationVerdict.Wrong("simple_function_checker:missing_optional", $"{function.Name}.{parameter}");
            }
        }

        return EvaluationVerdict.Correct;
    }

    /// <summary>Null, or the error type of one argument.</summary>
    private string? CheckValue(BfclLanguage language, BfclParameter parameter, PyValue value, List<PyValue> accepted)
    {
        PyKind expected = BfclTypes.Expected(language, parameter.Type);
        if (language != BfclLanguage.Python && !value.IsString)
        {
            return language == BfclLanguage.Java ? "type_error:java" : "type_error:js";
        }

        string? itemType = null;
        PyKind? expectedItem = null;
        if (BfclTypes.IsNested(language, parameter.Type))
        {
            itemType = parameter.ItemType ?? throw new PyException("KeyError", "'items'");
            expectedItem = BfclTypes.Expected(language, itemType);
        }

        value = language switch
        {
            BfclLanguage.Java => JavaLiterals.Convert(value.Text, parameter.Type, itemType),
            BfclLanguage.JavaScript => JavaScriptLiterals.Convert(value.Text, parameter.Type, itemType),
            _ when parameter.Type == "float" && value.Kind == PyKind.Int => value.IntToFloat(),
            _ => value,
        };

        if (_values.CheckType(ref value, accepted, expected, expectedItem, out bool isVariable) is string typeError)
        {
            return typeError;
        }

        if (isVariable)
        {
            return _values.IsAccepted(value, accepted) ? null : "value_error:others";
        }

        return expected switch
        {
            PyKind.Dict => _values.CheckDict(value, accepted),
            PyKind.List when expectedItem == PyKind.Dict => _values.CheckListOfDicts(value, accepted),
            PyKind.Str => _values.CheckString(value, accepted),
            PyKind.List => _values.CheckList(value, accepted),
            _ => _values.IsAccepted(value, accepted) ? null : "value_error:others",
        };
    }
}
