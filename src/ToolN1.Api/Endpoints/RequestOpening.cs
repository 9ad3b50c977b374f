using System.Text.Json;
using ToolN1.Api.Auth;
using ToolN1.Api.Errors;
using ToolN1.Api.Observability;
using ToolN1.Api.Shapes;
using ToolN1.Api.Streaming;
using ToolN1.Engine;
using ToolN1.Training.Captures;
using ToolN1.Training.Jobs.Models;

namespace ToolN1.Api.Endpoints;

/// <summary>How every generation request begins, whatever its API: read and checked, bound, its model taken into use, its clock started.</summary>
internal sealed class RequestOpening(IInferenceEngine engine, ModelCatalog catalog, TimeProvider time, RequestMetrics metrics)
{
    /// <summary>Opens a request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="endpoint">Its name in metrics.</param>
    /// <param name="idPrefix">Begins the answer's id.</param>
    /// <param name="shape">What its body may hold.</param>
    /// <param name="bind">Maps the checked body of a tenant (<see cref="Tenant"/>) to the engine's terms.</param>
    /// <returns>To be disposed when the answer has ended.</returns>
    /// <exception cref="ApiException">400 or 404 naming the field.</exception>
    public async Task<OpenedRequest<T>> OpenAsync<T>(
        HttpContext context, string endpoint, string idPrefix, ObjectShape shape, Func<JsonElement, string?, T> bind)
    {
        T call;
        string? name;
        bool mayBeKept;
        using (JsonDocument body = await RequestBody.ReadAsync(context, shape))
        {
            call = bind(body.RootElement, Tenant.Of(context));
            name = body.RootElement.String("model");
            mayBeKept = body.RootElement.Boolean("store") ?? true;
        }

        ModelUse use = await catalog.UseNamedAsync(name, context.RequestAborted);
        AnswerIdentity identity = AnswerIdentity.New(idPrefix, use.Name, use.WeightVersion ?? engine.Model.WeightVersion, time);
        return new OpenedRequest<T>(call, use, identity, metrics.Start(endpoint))
        {
            Origin = mayBeKept
                ? new CaptureOrigin(endpoint, Tenant.NameOf(context), identity.Id, use.Name, use.WeightVersion ?? engine.Model.WeightVersion, identity.Created)
                : null,
        };
    }
}

/// <summary>A generation request that was let in.</summary>
/// <param name="Call">What it asks for.</param>
/// <param name="Use">The model that it runs on.</param>
/// <param name="Identity">Of its answer.</param>
/// <param name="Timer">Its clock.</param>
internal sealed record OpenedRequest<T>(T Call, ModelUse Use, AnswerIdentity Identity, RequestTimer Timer) : IDisposable
{
    /// <summary>The request as captures name it; null for one that says <c>store: false</c>.</summary>
    public CaptureOrigin? Origin { get; init; }

    /// <summary>Gives the model back.</summary>
    public void Dispose() => Use.Dispose();
}
