namespace ToolN1.Engine;

/// <summary>Why a generation ended. Every accepted request ends with exactly one, or with an error.</summary>
public enum FinishReason
{
    /// <summary>An end-of-sequence token, a stop token id, or (set by the reader of the text) a stop string.</summary>
    Stop,

    /// <summary>The request's token limit or the model's length was reached.</summary>
    Length,

    /// <summary>The caller cancelled, or went away.</summary>
    Cancelled,
}
