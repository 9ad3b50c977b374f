namespace ToolN1.Training.Evaluation;

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

    /// <summary>Detail of an API-Bank reply that is a list without a call.</summary>
    public const string NoCall = "an empty list of calls";

    /// <summary>Detail of an API-Bank call whose arguments are no object.</summary>
    public const string NotAnObject = "the arguments are not a JSON object";

    /// <summary>End of the detail of an ACEBench call with arguments where none belong.</summary>
    public const string TakesNone = ": no arguments belong here";

    private static readonly (string Part, string Class)[] Rules =
    [
        ("irrelevance_error", ShouldHaveAbstained),
        ("relevance_error", ShouldHaveCalled),
        ("ast_decoder", Unparsable),
        ("wrong_output_format", Unparsable),
        ("wrong_count", WrongCount),
        ("wrong functions number", WrongCount),
        ("wrong_func_name", WrongName),
        ("wrong_function_name", WrongName),
        ("name_mismatch", WrongName),
        ("function_mismatch", WrongName),
        ("missing_required", MissingArgument),
        ("missing_optional", MissingArgument),
        ("lack_args", MissingArgument),
        ("unexpected_param", ExtraArgument),
        ("addition_args", ExtraArgument),
        ("type_error", WrongType),
        ("crash:", WrongType),
        ("value_error", WrongValue),
        ("dict_checker", WrongValue),
        ("tool_exception", WrongValue),
        ("mismatch", WrongValue),
    ];

    /// <summary>
    /// Null for a correct reply. Where one of several calls finds no match, its class is what the likeliest candidate for it
    /// failed at, which the checkers put into the detail.
    /// </summary>
    public static string? Of(EvaluationVerdict verdict)
    {
        if (verdict.ErrorType is not string error)
        {
            return null;
        }

        string detail = verdict.Detail ?? "";
        if (error.EndsWith(":cannot_find_match", StringComparison.Ordinal) || error == "simple_function_checker:unclear")
        {
            int end = detail.IndexOf(": ", StringComparison.Ordinal);
            (error, detail) = end < 0 ? (error, detail) : (detail[..end], detail[(end + 2)..]);
        }

        if (error.StartsWith("call_rejected", StringComparison.Ordinal))
        {
            return OfRejection(detail);
        }

        switch (error)
        {
            case "no_api_call":
                return detail == NoCall ? ShouldHaveCalled : Unparsable;
            case "wrong_param":
                return detail.EndsWith(TakesNone, StringComparison.Ordinal) ? ExtraArgument : MissingArgument;
        }

        foreach ((string part, string name) in Rules)
        {
            if (error.Contains(part, StringComparison.Ordinal))
            {
                return name;
            }
        }

        return Other;
    }

    /// <summary>API-Bank refuses a call before it runs for four reasons, which its error type does not tell apart.</summary>
    private static string OfRejection(string detail)
    {
        string reason = detail[(detail.IndexOf(": ", StringComparison.Ordinal) is int at and >= 0 ? at + 2 : 0)..];
        return reason.StartsWith("missing required", StringComparison.Ordinal) ? MissingArgument
            : reason.StartsWith("invalid parameter name", StringComparison.Ordinal) ? ExtraArgument
            : reason == NotAnObject ? Unparsable
            : WrongType;
    }
}
