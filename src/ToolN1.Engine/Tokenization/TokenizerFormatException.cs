namespace ToolN1.Engine.Tokenization;

/// <summary>A tokenizer.json that is malformed, or that uses a component or flag which is not implemented exactly.</summary>
public sealed class TokenizerFormatException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">Names the file and the place in it.</param>
    /// <param name="innerException">The reader's own complaint, if there is one.</param>
    public TokenizerFormatException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
