using ToolN1.Engine.Chat;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.Harness;

/// <summary>
/// The prompt that the paper's BFCL handler sends, byte for byte. It differs from the training prompt: everything is
/// indented, and it invites an empty list of calls.
/// </summary>
/// <remarks>Source: NVlabs/Tool-N1 (Apache-2.0). Spaces at line ends and the stray quotation mark are theirs.</remarks>
internal static class HandlerPrompt
{
    private const string BeforeTools =
        "\n" +
        "        You are an expert in composing functions. You are given a question and a set of possible functions. Based on the question, you will need to make one or more function/tool calls to achieve the purpose. If none of the function can be used, point it out. If the given question lacks the parameters required by the function, also point it out. You should only return the function call in tools call sections.\n" +
        "\n" +
        "    # Tool\n" +
        "    Here is a list of functions in JSON format that you can invoke:\n" +
        "\n" +
        "    <tools>\n" +
        "    ";

    private const string AfterTools =
        "\n" +
        "    </tools>\n" +
        "\n" +
        "    In each action step, you MUST: \n" +
        "    1. think about the reasoning process in the mind before and enclosed your reasoning within <think> </think> XML tags.\n" +
        "    2. then return a json object with function names and arguments within <tool_call></tool_call> XML tags. i.e., <tool_call>[{\"name\": <function-name>, \"arguments\": <args-json-object>}, {\"name\": <function-name2>, \"arguments\": <args-json-object2>}, ...]</tool_call>\n" +
        "    3. remember complete 1 and 2 in one single reply.\n" +
        "    A complete reply example is: <think>To address the query, I need to send the email to Bob and then buy the banana through walmart. </think> <tool_call> [{\"name\": \"email\", \"arguments\": {\"receiver\": \"Bob\", \"content\": \"I will bug banana through walmart\"}}, {\"name\": \"walmart\", \"arguments\": {\"input\": \"banana\"}}]</tool_call>. Please make sure the type of the arguments is correct.  If no functions could be used in the current task, please make tool_calls an empty list <tool_call>[]</tool_call>\"\n" +
        "    ";

    /// <summary>The system turn's content.</summary>
    public static string System(IEnumerable<PyValue> functions) => BeforeTools
        + string.Concat(functions.Select(function =>
            PyJsonWriter.Dumps(PyValue.Of(new PyDict { ["type"] = PyValue.Of("function"), ["function"] = function })) + "\n"))
        + AfterTools;

    /// <summary>The whole text: Qwen's turns with the assistant's opened.</summary>
    public static string Text(IEnumerable<ChatMessage> messages) => string.Concat(messages.Select(message =>
        $"<|im_start|>{RoleName(message.Role)}\n{message.Content}<|im_end|>\n")) + "<|im_start|>assistant\n";

    private static string RoleName(ChatRole role) => role switch
    {
        ChatRole.System => "system",
        ChatRole.Assistant => "assistant",
        ChatRole.Tool => "tool",
        _ => "user",
    };
}
