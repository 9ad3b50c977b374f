using System.Text.Json.Nodes;
using ToolN1.Api.Shapes;

namespace ToolN1.Api.OpenApi;

/// <summary>What the OpenAPI document says of an endpoint beyond its route; attached to it as metadata.</summary>
/// <param name="Summary">One line.</param>
/// <param name="Description">Markdown.</param>
internal sealed record OperationDoc(string Summary, string Description)
{
    /// <summary>The request's body, which is also what the server checks; null without one.</summary>
    public ObjectShape? Request { get; init; }

    /// <summary>Named request bodies that work as they are, made from what the server has.</summary>
    public Func<ExampleNames, IReadOnlyList<(string Name, string Summary, JsonObject Body)>>? Examples { get; init; }

    /// <summary>Names and descriptions of the parts of the route that vary.</summary>
    public IReadOnlyList<(string Name, string Description)> RouteParameters { get; init; } = [];

    /// <summary>Names and descriptions of the parameters of the query, all optional.</summary>
    public IReadOnlyList<(string Name, string Description)> QueryParameters { get; init; } = [];

    /// <summary>Names and descriptions of headers that the route reads, all optional.</summary>
    public IReadOnlyList<(string Name, string Description)> HeaderParameters { get; init; } = [];

    /// <summary>Whether the body is a form with a file and its purpose.</summary>
    public bool IsUpload { get; init; }

    /// <summary>Whether the answer is a file's bytes.</summary>
    public bool IsDownload { get; init; }

    /// <summary>The answer's type.</summary>
    public Type? Response { get; init; }

    /// <summary>The answer's type in another case, which the description tells; null where there is one type only.</summary>
    public Type? OtherResponse { get; init; }

    /// <summary>The type of each event of a streamed answer, where there are such.</summary>
    public Type? StreamedEvent { get; init; }

    /// <summary>Statuses of refusals, each with the error envelope.</summary>
    public IReadOnlyList<int> Refusals { get; init; } = [];
}
