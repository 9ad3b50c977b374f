using Microsoft.Extensions.Options;
using ToolN1.Engine.Model;
using ToolN1.Engine.Tokenization;

namespace ToolN1.Api;

/// <summary>The configuration forbids a start; the message says which option to change.</summary>
internal sealed class StartupException(string message) : Exception(message)
{
    /// <summary>
    /// Whether a start failed by what it was given (an option, a model folder, a port in use), so that the message alone
    /// says what to do and a stack trace would hide it.
    /// </summary>
    public static bool IsCallersMistake(Exception exception) => exception
        is StartupException or OptionsValidationException or CheckpointException or TokenizerFormatException
        or IOException or InvalidDataException or NotSupportedException;
}
