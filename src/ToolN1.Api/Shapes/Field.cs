using System.Text.Json.Nodes;

namespace ToolN1.Api.Shapes;

/// <summary>A field that the server honours. Null counts as absent.</summary>
/// <param name="Name">Its JSON name.</param>
/// <param name="Shape">What it may hold.</param>
/// <param name="Description">For the API's documentation.</param>
internal sealed record Field(string Name, Shape Shape, string Description)
{
    /// <summary>Whether a request without it is refused.</summary>
    public bool Required { get; init; }

    /// <summary>What absence means, where a value says it.</summary>
    public JsonNode? Default { get; init; }

    /// <summary>What becomes of its value.</summary>
    public FieldEffect Effect { get; init; }
}

/// <summary>What becomes of a field's value.</summary>
internal enum FieldEffect
{
    /// <summary>It does what it says.</summary>
    Honoured,

    /// <summary>Every value that is accepted is what the server does anyway, or is none of its business.</summary>
    None,
}
