using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.Bfcl;

/// <summary>
/// The calls of a completion. The evaluation reads the <em>first</em> <c>&lt;tool_call&gt;</c> block and ignores think tags,
/// as the paper's evaluation does (the training reward reads the last block and wants both tags).
/// </summary>
internal static class BfclReply
{
    public const string DecoderFailed = "ast_decoder:decoder_failed";
    public const string WrongOutputFormat = "ast_decoder:decoder_wrong_output_format";

    private const string Open = "<tool_call>";
    private const string Close = "</tool_call>";

    /// <summary>Null and <paramref name="calls"/>, or the error type.</summary>
    public static string? Decode(string completion, out List<BfclCall> calls)
    {
        calls = [];
        ReadOnlySpan<char> block = FirstBlock(completion);
        if (block.IsEmpty || !PyJson.TryParse(block, out PyValue? value))
        {
            return DecoderFailed;
        }

        // The original iterates whatever the JSON is: an empty string or object has nothing to iterate, so it is a list of no calls.
        if ((value.IsString && value.Text.Length == 0) || (value.Kind == PyKind.Dict && value.Entries.Count == 0))
        {
            return null;
        }

        if (value.Kind != PyKind.List)
        {
            return DecoderFailed;
        }

        string? error = null;
        foreach (PyValue item in value.Items)
        {
            // A list or object cannot be a Python dict's key, so such a name fails in the decoder.
            if (item.Kind != PyKind.Dict
                || !item.Entries.TryGetValue("name", out PyValue? name)
                || !item.Entries.TryGetValue("arguments", out PyValue? arguments)
                || name.Kind is PyKind.List or PyKind.Dict)
            {
                return DecoderFailed;
            }

            if (arguments.Kind != PyKind.Dict)
            {
                error = WrongOutputFormat;
                continue;
            }

            calls.Add(new BfclCall(name, arguments.Entries));
        }

        return error;
    }

    /// <summary>Whether the completion has a complete block at all.</summary>
    public static bool HasBlock(string completion) => BlockStart(completion, out int start) && completion.IndexOf(Close, start, StringComparison.Ordinal) >= 0;

    private static ReadOnlySpan<char> FirstBlock(string completion)
    {
        if (!BlockStart(completion, out int start))
        {
            return [];
        }

        int end = completion.IndexOf(Close, start, StringComparison.Ordinal);
        return end < 0 ? [] : completion.AsSpan(start, end - start);
    }

    private static bool BlockStart(string completion, out int start)
    {
        int open = completion.IndexOf(Open, StringComparison.Ordinal);
        start = open + Open.Length;
        return open >= 0;
    }
}
