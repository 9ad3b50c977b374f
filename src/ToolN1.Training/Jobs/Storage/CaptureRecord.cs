namespace ToolN1.Training.Jobs.Storage;

/// <summary>A request and its answer, redacted, for a person to review. Times are seconds since 1970.</summary>
public sealed class CaptureRecord
{
    /// <summary>Its id, <c>capture-…</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Grows with every capture, for their order.</summary>
    public long Number { get; set; }

    /// <summary>When the request was accepted.</summary>
    public required long CreatedAt { get; init; }

    /// <summary>One of <see cref="CaptureStatus"/>.</summary>
    public required string Status { get; set; }

    /// <summary>The API that it came by: <c>chat</c> or <c>response</c>.</summary>
    public required string Endpoint { get; init; }

    /// <summary>Whose request it was, as a fingerprint of the key; null where the server has no keys.</summary>
    public string? Tenant { get; init; }

    /// <summary>Id of the answer that the caller got.</summary>
    public required string AnswerId { get; init; }

    /// <summary>Which of the answer's choices, from 0.</summary>
    public required int Choice { get; init; }

    /// <summary>The model as the request named it.</summary>
    public required string Model { get; init; }

    /// <summary>Identity of its weights.</summary>
    public required string WeightVersion { get; init; }

    /// <summary>How the answer ended: <c>stop</c>, <c>tool_calls</c>, <c>length</c>, <c>cancelled</c> or <c>failed</c>.</summary>
    public required string FinishReason { get; init; }

    /// <summary>The beginning of the last message, for lists.</summary>
    public required string Request { get; init; }

    /// <summary>Names of the called tools, those of a correction too, each between line feeds.</summary>
    public required string CalledTools { get; set; }

    /// <summary>The conversation, the tools and the answer, as JSON.</summary>
    public required string Document { get; init; }

    /// <summary>What was redacted, a count for each rule, as a JSON object.</summary>
    public required string Redactions { get; init; }

    /// <summary>What the reviewer says the answer should have been, as JSON.</summary>
    public string? Correction { get; set; }

    /// <summary>When it was last reviewed.</summary>
    public long? ReviewedAt { get; set; }

    /// <summary>Who reviewed it: a fingerprint of the key.</summary>
    public string? ReviewedBy { get; set; }

    /// <summary>The last file that it was exported to.</summary>
    public string? ExportedFile { get; set; }
}

/// <summary>The states of a capture, as the API names them.</summary>
public static class CaptureStatus
{
    /// <summary>Nobody has looked at it: nothing is trained on it.</summary>
    public const string Pending = "pending";

    /// <summary>A person found the answer right.</summary>
    public const string Confirmed = "confirmed";

    /// <summary>A person said what the answer should have been.</summary>
    public const string Corrected = "corrected";

    /// <summary>A person found it of no use.</summary>
    public const string Rejected = "rejected";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Pending, Confirmed, Corrected, Rejected];
}
