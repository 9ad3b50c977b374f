using ToolN1.Api.Contracts;
using ToolN1.Api.Errors;
using ToolN1.Engine.Hosting;

namespace ToolN1.Api.Endpoints;

/// <summary>GET /v1/models and /v1/models/{id}.</summary>
internal sealed class ModelEndpoints(ServedModel model)
{
    /// <summary>All models: the served one.</summary>
    public Task ListAsync(HttpContext context) =>
        JsonAnswer.WriteAsync(context, new ModelList { Data = [Body()] }, ApiJsonContext.Relaxed.ModelList);

    /// <summary>One model by its id, which may hold slashes.</summary>
    public Task GetAsync(HttpContext context)
    {
        string id = context.GetRouteValue("model") as string ?? "";
        return id == model.Info.Name
            ? JsonAnswer.WriteAsync(context, Body(), ApiJsonContext.Relaxed.ModelBody)
            : throw ApiException.ModelNotFound(id);
    }

    private ModelBody Body() => new()
    {
        Id = model.Info.Name,
        Created = model.Created.ToUnixTimeSeconds(),
        MaxModelLen = model.Info.MaxModelLength,
    };
}
