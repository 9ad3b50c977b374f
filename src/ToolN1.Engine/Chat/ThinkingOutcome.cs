namespace ToolN1.Engine.Chat;

/// <summary>What became of an answer's thinking.</summary>
public enum ThinkingOutcome
{
    /// <summary>The answer did not open with a think tag: nothing of it is reasoning.</summary>
    None,

    /// <summary>A think tag was opened and not closed: everything after it is reasoning.</summary>
    Unclosed,

    /// <summary>Opened and closed.</summary>
    Closed,
}
