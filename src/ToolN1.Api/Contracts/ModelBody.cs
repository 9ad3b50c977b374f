using System.ComponentModel;

namespace ToolN1.Api.Contracts;

/// <summary>A model.</summary>
[Description("A model that can be used.")]
internal sealed record ModelBody
{
    [Description("The id to send as `model`.")]
    public required string Id { get; init; }

    [Description("Always `model`.")]
    public string Object { get; init; } = "model";

    [Description("When it was made, in seconds since 1970.")]
    public required long Created { get; init; }

    [Description("Who serves it.")]
    public string OwnedBy { get; init; } = "tool-n1";

    [Description("Tokens of prompt and answer together that one request may have. (vLLM's extension.)")]
    public required int MaxModelLen { get; init; }
}

/// <summary>The models.</summary>
[Description("The models that can be used.")]
internal sealed record ModelList
{
    [Description("Always `list`.")]
    public string Object { get; init; } = "list";

    [Description("The models.")]
    public required IReadOnlyList<ModelBody> Data { get; init; }
}
