using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ToolN1.Training.Captures;

/// <summary>A redacted conversation with its answer, as a capture's record keeps it.</summary>
public sealed record CaptureDocument
{
    /// <summary>The conversation, oldest first, a system message included.</summary>
    public required IReadOnlyList<CapturedMessage> Messages { get; init; }

    /// <summary>The function objects of the tools that were shown to the model, as JSON text.</summary>
    public required IReadOnlyList<string> Tools { get; init; }

    /// <summary>The model's reasoning.</summary>
    public string? Reasoning { get; init; }

    /// <summary>Its visible text.</summary>
    public string? Content { get; init; }

    /// <summary>Its calls.</summary>
    public required IReadOnlyList<CapturedCall> Calls { get; init; }
}

/// <summary>A message.</summary>
public sealed record CapturedMessage
{
    /// <summary><c>system</c>, <c>user</c>, <c>assistant</c> or <c>tool</c>.</summary>
    public required string Role { get; init; }

    /// <summary>Who among several of the same role speaks.</summary>
    public string? Name { get; init; }

    /// <summary>Its text; null only for an assistant that called tools.</summary>
    public string? Content { get; init; }

    /// <summary>The assistant's calls.</summary>
    public IReadOnlyList<CapturedCall> Calls { get; init; } = [];

    /// <summary>Of a tool's message: the call that it answers.</summary>
    public string? ToolCallId { get; init; }
}

/// <summary>A call.</summary>
/// <param name="Id">Its id, where the conversation names it; null in answers.</param>
/// <param name="Name">The tool.</param>
/// <param name="Arguments">JSON text.</param>
public sealed record CapturedCall(string? Id, string Name, string Arguments);

/// <summary>What a reviewer says the answer should have been.</summary>
public sealed record CaptureCorrection
{
    /// <summary>The right calls in order; empty where none is.</summary>
    public required IReadOnlyList<CapturedCall> Calls { get; init; }

    /// <summary>The right answer in words, where no tool was offered; null otherwise.</summary>
    public string? Reply { get; init; }

    /// <summary>The reasoning to teach with it; null for none.</summary>
    public string? Reasoning { get; init; }
}

/// <summary>The JSON of captures' records.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CaptureDocument))]
[JsonSerializable(typeof(CaptureCorrection))]
[JsonSerializable(typeof(SortedDictionary<string, int>))]
internal sealed partial class CaptureJson : JsonSerializerContext
{
    /// <summary>The context with text beyond ASCII written as it is. Control characters, a NUL among them, stay escaped: PostgreSQL's texts hold none.</summary>
    public static CaptureJson Relaxed { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
