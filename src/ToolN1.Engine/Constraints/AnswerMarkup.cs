namespace ToolN1.Engine.Constraints;

/// <summary>How a chat format writes thinking and calls.</summary>
public enum AnswerMarkup
{
    /// <summary>One block with a JSON list of calls, after thinking.</summary>
    List,

    /// <summary>One block a call; thinking if the model wants.</summary>
    Blocks,
}
