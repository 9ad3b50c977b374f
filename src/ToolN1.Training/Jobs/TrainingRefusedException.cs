namespace ToolN1.Training.Jobs;

/// <summary>Something that an administrator asked for and that cannot be done as asked.</summary>
/// <param name="message">For the caller's eyes.</param>
/// <param name="field">The request's field at fault, or null.</param>
/// <param name="code">For programs.</param>
public sealed class TrainingRefusedException(string message, string? field = null, string code = "invalid_value") : Exception(message)
{
    /// <summary>The request's field at fault, or null.</summary>
    public string? Field { get; } = field;

    /// <summary>For programs.</summary>
    public string Code { get; } = code;

    /// <summary>Whether what was asked for does not exist.</summary>
    public bool IsNotFound { get; init; }

    /// <summary>Whether it is the state of things, not the request, that stands against it.</summary>
    public bool IsConflict { get; init; }

    /// <summary>There is no such job, file or model. Models are named by a field, all else by the route.</summary>
    public static TrainingRefusedException NotFound(string what, string id) =>
        new($"There is no {what} '{id}'.", what == "model" ? "model" : null, what + "_not_found") { IsNotFound = true };

    /// <summary>A file is known, but its bytes are not there any more.</summary>
    internal static TrainingRefusedException BytesGone(string field) => new($"The bytes of the {field} are gone from the data directory.", field, "file_missing") { IsConflict = true };

    /// <summary>The item that a page was to begin after is not there, or no more.</summary>
    internal static TrainingRefusedException NoCursor(string what, string id) =>
        new($"Invalid value for 'after': there is no {what} '{id}' (any more); begin the list again.", "after");
}
