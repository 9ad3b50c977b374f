using System.ComponentModel;

namespace ToolN1.Api.Errors;

/// <summary>The body of every answer that is not a success.</summary>
[Description("The body of every answer that is not a success.")]
internal sealed record ErrorEnvelope
{
    /// <summary>What went wrong.</summary>
    [Description("What went wrong.")]
    public required ErrorBody Error { get; init; }
}

/// <summary>What went wrong, for people and for programs.</summary>
[Description("What went wrong, for people and for programs.")]
internal sealed record ErrorBody
{
    /// <summary>An explanation for people.</summary>
    [Description("An explanation for people.")]
    public required string Message { get; init; }

    /// <summary>The family of the error.</summary>
    [Description("The family of the error: `invalid_request_error`, `authentication_error` or `server_error`.")]
    public required string Type { get; init; }

    /// <summary>The field at fault.</summary>
    [Description("The field at fault as a path such as `messages[2].content`, or null.")]
    public string? Param { get; init; }

    /// <summary>A code for programs.</summary>
    [Description("A code for programs such as `context_length_exceeded`, or null.")]
    public string? Code { get; init; }
}
