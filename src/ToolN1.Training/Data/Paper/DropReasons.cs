namespace ToolN1.Training.Data.Paper;

/// <summary>Why an example is left out, in the words that reports count.</summary>
internal static class DropReasons
{
    public const string Unreadable = "the item cannot be read";
    public const string BadText = "a text holds half of a surrogate pair";
    public const string MissingFields = "fields are missing or not of their kind";
    public const string NoTools = "no tool list";
    public const string UnnamedTool = "a tool has no name";
    public const string NotACall = "an answer is no call";
    public const string NotOffered = "a called tool is not offered";
    public const string UnparsableCalls = "calls that cannot be parsed";
    public const string UnknownTurn = "a turn has no known speaker or no text";
    public const string NoContext = "no turn before the calls";
    public const string NoCalls = "no turn of calls";
    public const string NearDuplicate = "nearly the same as an earlier row";
    public const string LeftOver = "left over by the published split's roundings";
    public const string Contaminated = "shares text with a benchmark's question";
}
