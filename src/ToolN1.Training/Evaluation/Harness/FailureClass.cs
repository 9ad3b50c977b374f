namespace ToolN1.Training.Evaluation.Harness;

/// <summary>The checkers' many error types in the few words that tell what to improve.</summary>
internal static class FailureClass
{
    public const string WrongName = "wrong name";
    public const string MissingArgument = "missing argument";
    public const string ExtraArgument = "extra argument";
    public const string WrongValue = "wrong value";
    public const string WrongType = "wrong type";
    public const string WrongCount = "wrong number of calls";
    public const string ShouldHaveAbstained = "should have abstained";
    public const string ShouldHaveCalled = "should have called";
    public const string Unparsable = "unparsable";
    public const string Other = "other";

    private static readonly (string Part, string Class)[] Rules =
    [
        ("irrelevance_error", ShouldHaveAbstained),
        ("relevance_error", ShouldHaveCalled),
        ("ast_decoder", Unparsable),
        ("wrong_output_format", Unparsable),
        ("no_api_call", Unparsable),
        ("wrong_count", WrongCount),
        ("wrong functions number", WrongCount),
        ("wrong_func_name", WrongName),
        ("wrong_function_name", WrongName),
        ("name_mismatch", WrongName),
        ("function_mismatch", WrongName),
        ("simple_function_checker:unclear", WrongName),
        ("missing_required", MissingArgument),
        ("missing_optional", MissingArgument),
        ("lack_args", MissingArgument),
        ("wrong_param", MissingArgument),
        ("call_rejected:TypeError", MissingArgument),
        ("unexpected_param", ExtraArgument),
        ("addition_args", ExtraArgument),
        ("call_rejected", ExtraArgument),
        ("type_error", WrongType),
        ("crash:", WrongType),
        ("value_error", WrongValue),
        ("dict_checker", WrongValue),
        ("tool_exception", WrongValue),
        ("mismatch", WrongValue),
        ("key_error", WrongValue),
    ];

    /// <summary>Null for a correct reply. A parallel mismatch is classed by what the last tried call failed at.</summary>
    public static string? Of(EvaluationVerdict verdict)
    {
        if (verdict.ErrorType is not string error)
        {
            return null;
        }

        string text = error.EndsWith(":cannot_find_match", StringComparison.Ordinal) && verdict.Detail is string detail ? detail : error;
        foreach ((string part, string name) in Rules)
        {
            if (text.Contains(part, StringComparison.Ordinal))
            {
                bool missing = name == ExtraArgument && verdict.Detail?.Contains("missing required", StringComparison.Ordinal) == true;
                bool type = name == ExtraArgument && verdict.Detail?.Contains("parameter type", StringComparison.Ordinal) == true;
                return missing ? MissingArgument : type ? WrongType : name;
            }
        }

        return Other;
    }
}
