using System.Text;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Tokenization;
using ToolN1.Training.Data;

namespace ToolN1.Training.Sft;

/// <summary>Turns rows into ids: the prompt as a chat format renders it, and the target with the token that ends the turn.</summary>
internal sealed class RowEncoder
{
    private readonly Tokenizer _tokenizer;
    private readonly IChatFormat _format;
    private readonly bool _isShort;
    private readonly int _stopToken;

    /// <summary>Prepares an encoder.</summary>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="format">The chat format served.</param>
    /// <param name="isShort">Leaves the format's boilerplate out.</param>
    public RowEncoder(Tokenizer tokenizer, IChatFormat format, bool isShort)
    {
        _tokenizer = tokenizer;
        _format = format;
        _isShort = isShort;
        _stopToken = format.StopTokens.Select(tokenizer.FindAddedToken).OfType<int>().Cast<int?>().FirstOrDefault()
            ?? throw new InvalidDataException($"The tokenizer has none of the tokens that end a turn: {string.Join(", ", format.StopTokens)}.");
    }

    /// <summary>Ids of the prompt, up to and including the opening of the assistant's turn.</summary>
    public int[] EncodePrompt(TrainingRow row)
    {
        ChatPrompt prompt = _isShort
            ? _format.Render([new ChatMessage { Role = ChatRole.System, Content = ShortSystem(row) }, .. row.Messages], [], addGenerationPrompt: true)
            : _format.Render(row.Conversation, row.Tools, addGenerationPrompt: true);
        return prompt.Encode(_tokenizer);
    }

    /// <summary>Ids of the target, the end of turn included. Tags are template text, what they enclose is content.</summary>
    public int[] EncodeAnswer(TrainingRow row)
    {
        ChatPrompt answer = row.Reply is not null ? new([(row.Reply, false)]) : new(
        [
            ("<think>", true),
            (row.Think ?? "", false),
            ("</think><tool_call>", true),
            (row.AnswerJson, false),
            ("</tool_call>", true),
        ]);
        return [.. answer.Encode(_tokenizer), _stopToken];
    }

    private static string ShortSystem(TrainingRow row)
    {
        StringBuilder text = new(row.System is null ? "" : row.System + "\n");
        text.Append("<tools>\n");
        foreach (ChatTool tool in row.Tools)
        {
            text.Append("{\"type\": \"function\", \"function\": ").Append(tool.FunctionJson).Append("}\n");
        }

        return text.Append("</tools>").ToString();
    }
}
