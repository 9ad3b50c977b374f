namespace ToolN1.Engine.Chat;

/// <summary>Prompt and asked-for tokens do not fit the model together. Nothing was cut and nothing was generated.</summary>
public sealed class ContextLengthExceededException : Exception
{
    /// <summary>Creates the exception.</summary>
    public ContextLengthExceededException(int promptTokens, int requestedTokens, int maxModelLength)
        : base($"The model holds {maxModelLength} tokens; the prompt has {promptTokens} and {requestedTokens} were asked for.")
    {
        PromptTokens = promptTokens;
        RequestedTokens = requestedTokens;
        MaxModelLength = maxModelLength;
    }

    /// <summary>Tokens of the prompt.</summary>
    public int PromptTokens { get; }

    /// <summary>Tokens asked for; 1 when the caller set no limit.</summary>
    public int RequestedTokens { get; }

    /// <summary>What the model holds.</summary>
    public int MaxModelLength { get; }
}
