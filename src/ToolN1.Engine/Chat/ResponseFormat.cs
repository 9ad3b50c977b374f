namespace ToolN1.Engine.Chat;

/// <summary>What the visible answer has to be.</summary>
public abstract record ResponseFormat
{
    private ResponseFormat()
    {
    }

    /// <summary>Any text.</summary>
    public sealed record Text : ResponseFormat;

    /// <summary>One JSON object.</summary>
    public sealed record JsonObject : ResponseFormat;

    /// <summary>One JSON value that follows a schema.</summary>
    /// <param name="SchemaJson">The JSON Schema's text.</param>
    /// <param name="IsStrict">Whether a schema that cannot be enforced is refused; else any JSON value will then do.</param>
    public sealed record JsonSchema(string SchemaJson, bool IsStrict) : ResponseFormat;
}
