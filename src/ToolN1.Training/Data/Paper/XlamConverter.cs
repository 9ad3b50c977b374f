using System.Text.Json;
using ToolN1.Engine.Chat;

namespace ToolN1.Training.Data.Paper;

/// <summary>
/// xLAM function-calling data (<c>query</c>, and <c>tools</c> and <c>answers</c>, often as JSON text): one user turn, all
/// answers are the one true list of calls.
/// </summary>
/// <param name="parity">
/// True: like the published script, keep calls of tools that are not offered, and write the published head as the system
/// text. (The paper says that such rows were dropped from all data; its script does so for ToolACE only.)
/// </param>
public sealed class XlamConverter(bool parity = false) : IPaperConverter
{
    /// <inheritdoc/>
    public string KindOf(JsonElement item) => "xlam";

    /// <inheritdoc/>
    public IEnumerable<PaperExample> Convert(JsonElement item) => [One(item)];

    private PaperExample One(JsonElement item)
    {
        if (PaperJson.Text(item, "query") is not string query || PaperJson.List(item, "tools") is not JsonElement tools || PaperJson.List(item, "answers") is not JsonElement answers)
        {
            return PaperExample.Drop(DropReasons.MissingFields, "query, tools and answers");
        }

        if (PaperJson.Tools(tools) is not List<ChatTool> offered)
        {
            return PaperExample.Drop(DropReasons.UnnamedTool);
        }

        List<TrainingCall> calls = [];
        foreach (JsonElement answer in answers.EnumerateArray())
        {
            if (PaperJson.Text(answer, "name") is not string name || !answer.TryGetProperty("arguments", out JsonElement arguments) || arguments.ValueKind != JsonValueKind.Object)
            {
                return PaperExample.Drop(DropReasons.NotACall, PythonJson.Write(answer));
            }

            calls.Add(new TrainingCall(name, PythonJson.Write(arguments)));
        }

        return !parity && PaperJson.NotOffered(calls, offered) is string unknown
            ? PaperExample.Drop(DropReasons.NotOffered, unknown)
            : PaperExample.Keep(new TrainingRow
            {
                System = parity ? ToolN1Texts.Head : null,
                Tools = offered,
                Messages = [new ChatMessage { Role = ChatRole.User, Content = query }],
                Answer = calls,
                Category = "xlam",
            });
    }
}
