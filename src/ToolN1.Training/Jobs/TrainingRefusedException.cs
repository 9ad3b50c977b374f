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

    /// <summary>There is no such job, file or model.</summary>
    public static TrainingRefusedException NotFound(string what, string id) => new($"There is no {what} '{id}'.", null, what + "_not_found") { IsNotFound = true };
}
