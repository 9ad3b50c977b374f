using System.Diagnostics.CodeAnalysis;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Rewards;

/// <summary>
/// Tool-N1's binary reward: 1 where the completion thinks aloud and its calls are exactly the reference's, else 0. It reads
/// the <em>last</em> <c>&lt;tool_call&gt;</c> block and wants both think tags (the benchmarks read the first block and
/// ignore think tags).
/// </summary>
/// <remarks>
/// Follows <c>compute_score_v0</c> of the paper's code, arXiv:2505.00024: arguments are equal when Python would write them
/// as the same JSON with sorted keys, so 1, 1.0, true and "1" all differ, 1.0 and 1e0 do not, key order is free at every
/// depth and list order is kept. Where that code raises, this gives 0.
/// </remarks>
public static class ToolCallReward
{
    private const string AssistantMarker = "<|im_start|>assistant";
    private const string Open = "<tool_call>";
    private const string Close = "</tool_call>";

    /// <summary>The reward of a completion.</summary>
    /// <param name="completion">The model's text; a prompt before the last assistant marker is cut off.</param>
    /// <param name="truthJson">The reference calls, a JSON array of <c>{"name", "arguments"}</c>.</param>
    /// <param name="lenientNumbers">True: numbers are equal when their values are (<c>1</c> and <c>1.0</c>); a departure from the paper.</param>
    public static ToolCallRewardResult Score(string completion, string truthJson, bool lenientNumbers = false)
    {
        ToolCallVerdict verdict = Judge(completion, truthJson, lenientNumbers);
        return new(verdict.Failure is null ? 1 : 0, verdict.Failure);
    }

    /// <summary>What is right about a completion's calls.</summary>
    /// <param name="completion">The model's text; a prompt before the last assistant marker is cut off.</param>
    /// <param name="truthJson">The reference calls, a JSON array of <c>{"name", "arguments"}</c>.</param>
    /// <param name="lenientNumbers">Whether an integer equals a float of the same value, which Python's JSON text does not.</param>
    public static ToolCallVerdict Judge(string completion, string truthJson, bool lenientNumbers)
    {
        int marker = completion.LastIndexOf(AssistantMarker, StringComparison.Ordinal);
        string reply = marker < 0 ? completion : completion[(marker + AssistantMarker.Length)..];
        bool hasThink = reply.Contains("<think>", StringComparison.Ordinal) && reply.Contains("</think>", StringComparison.Ordinal);
        if (LastBlock(reply) is not string block)
        {
            return Wrong("no_block");
        }

        if (!TryReadCalls(PyText.Strip(block), out List<PyValue>? calls, out string? failure))
        {
            return Wrong(failure!);
        }

        bool isReadable = calls.TrueForAll(IsCall);
        if (!isReadable)
        {
            return Wrong(hasThink ? "bad_call" : "no_think");
        }

        if (ReadTruth(truthJson) is not List<PyValue> truth || !truth.TrueForAll(IsCall))
        {
            return new(hasThink, true, false, false, hasThink ? "bad_truth" : "no_think");
        }

        bool namesMatch = Same(calls, truth, SameName);
        bool callsMatch = namesMatch && Same(calls, truth, (call, other) => SameName(call, other) && SameJson(call.Entries["arguments"], other.Entries["arguments"], lenientNumbers));
        return new(hasThink, true, namesMatch, callsMatch, !hasThink ? "no_think" : callsMatch ? null : "mismatch");

        ToolCallVerdict Wrong(string failure) => new(hasThink, false, false, false, failure);
    }

    /// <summary>The last match of the original's regular expression, which takes matches from the left without overlap.</summary>
    private static string? LastBlock(string text)
    {
        string? block = null;
        for (int at = text.IndexOf(Open, StringComparison.Ordinal); at >= 0; at = text.IndexOf(Open, at, StringComparison.Ordinal))
        {
            int start = at + Open.Length;
            int end = text.IndexOf(Close, start, StringComparison.Ordinal);
            if (end < 0)
            {
                break;
            }

            block = text[start..end];
            at = end + Close.Length;
        }

        return block;
    }

    /// <summary>The calls of a JSON text: a string is parsed once more, a single object is a list of one.</summary>
    private static bool TryReadCalls(string json, [NotNullWhen(true)] out List<PyValue>? calls, out string? failure)
    {
        calls = null;
        failure = "bad_json";
        if (!PyJson.TryParse(json, out PyValue? value) || (value.IsString && !PyJson.TryParse(value.Text, out value)))
        {
            return false;
        }

        failure = "bad_call";
        calls = value.Kind switch
        {
            PyKind.Dict => [value],
            PyKind.List => value.Items,
            // The original iterates what it parsed, and an empty string has nothing to iterate.
            PyKind.Str when value.Text.Length == 0 => [],
            _ => null,
        };
        return calls is not null;
    }

    /// <summary>The reference calls. A single object is not wrapped here: the original iterates its keys and raises.</summary>
    private static List<PyValue>? ReadTruth(string json)
    {
        if (!PyJson.TryParse(json, out PyValue? value) || (value.IsString && !PyJson.TryParse(value.Text, out value)))
        {
            return null;
        }

        return value.Kind == PyKind.List ? value.Items : value.Kind is PyKind.Dict or PyKind.Str && !value.IsTruthy ? [] : null;
    }

    private static bool IsCall(PyValue call) => call.Kind == PyKind.Dict && call.Entries.ContainsKey("name") && call.Entries.ContainsKey("arguments");

    /// <summary>Whether every call has a partner of its own.</summary>
    private static bool Same(List<PyValue> calls, List<PyValue> truth, Func<PyValue, PyValue, bool> matches)
    {
        List<PyValue> left = [.. truth];
        return calls.Count == truth.Count && calls.TrueForAll(call => left.FindIndex(other => matches(call, other)) is int at and >= 0 && RemoveAt(left, at));
    }

    private static bool RemoveAt(List<PyValue> list, int at)
    {
        list.RemoveAt(at);
        return true;
    }

    /// <summary>A list or object cannot be counted in Python, so such a name never counts as right.</summary>
    private static bool SameName(PyValue a, PyValue b) =>
        a.Entries["name"] is PyValue name && name.Kind is not (PyKind.List or PyKind.Dict) && PyValue.Equal(name, b.Entries["name"]);

    /// <summary>Whether Python's <c>json.dumps(…, sort_keys=True)</c> of both is the same text.</summary>
    private static bool SameJson(PyValue a, PyValue b, bool lenientNumbers)
    {
        if (lenientNumbers && a.Kind is PyKind.Int or PyKind.Float && b.Kind is PyKind.Int or PyKind.Float && PyValue.Equal(a, b))
        {
            return true;
        }

        if (a.Kind != b.Kind)
        {
            return false;
        }

        switch (a.Kind)
        {
            case PyKind.Float:
                return double.IsNaN(a.Number) ? double.IsNaN(b.Number) : BitConverter.DoubleToInt64Bits(a.Number) == BitConverter.DoubleToInt64Bits(b.Number);
            case PyKind.List:
                return a.Items.Count == b.Items.Count && a.Items.Zip(b.Items).All(pair => SameJson(pair.First, pair.Second, lenientNumbers));
            case PyKind.Dict:
                return a.Entries.Count == b.Entries.Count
                    && a.Entries.All(entry => b.Entries.TryGetValue(entry.Key, out PyValue? other) && SameJson(entry.Value, other, lenientNumbers));
            default:
                return PyValue.Equal(a, b);
        }
    }
}
