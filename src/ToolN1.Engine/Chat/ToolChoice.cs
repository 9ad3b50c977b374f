namespace ToolN1.Engine.Chat;

/// <summary>Whether and which of the offered tools an answer may, or must, call.</summary>
public abstract record ToolChoice
{
    private ToolChoice()
    {
    }

    /// <summary>No call: the tools are not shown to the model.</summary>
    public sealed record None : ToolChoice;

    /// <summary>The model decides.</summary>
    public sealed record Auto : ToolChoice;

    /// <summary>At least one call.</summary>
    public sealed record Required : ToolChoice;

    /// <summary>At least one call, and of this tool only.</summary>
    /// <param name="Name">One of the offered tools.</param>
    public sealed record Function(string Name) : ToolChoice;

    /// <summary>All offered tools are shown to the model, but it may call only these.</summary>
    /// <param name="Names">Offered tools, at least one.</param>
    /// <param name="IsRequired">At least one call.</param>
    public sealed record Allowed(IReadOnlyList<string> Names, bool IsRequired) : ToolChoice;
}
