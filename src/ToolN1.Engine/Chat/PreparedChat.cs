using ToolN1.Engine.Constraints;

namespace ToolN1.Engine.Chat;

/// <summary>A chat request that is checked, encoded and compiled: ready to be generated, once or several times.</summary>
public sealed record PreparedChat
{
    internal PreparedChat(ChatRequest request, IReadOnlyList<ChatTool> tools, int[] prompt, AnswerConstraint? constraint)
    {
        Request = request;
        Tools = tools;
        Prompt = prompt;
        Constraint = constraint;
    }

    /// <summary>The request; id and sampling may be exchanged for each of several answers.</summary>
    public ChatRequest Request { get; init; }

    /// <summary>The prompt's ids.</summary>
    public IReadOnlyList<int> Prompt { get; }

    /// <summary>What the answer is kept to; null for nothing.</summary>
    public AnswerConstraint? Constraint { get; }

    /// <summary>The tools that the model was shown.</summary>
    internal IReadOnlyList<ChatTool> Tools { get; }
}
