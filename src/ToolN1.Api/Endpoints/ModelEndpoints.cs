using ToolN1.Api.Contracts;
using ToolN1.Api.Errors;
using ToolN1.Engine.Hosting;
using ToolN1.Training.Jobs.Models;

namespace ToolN1.Api.Endpoints;

/// <summary>GET /v1/models and /v1/models/{id}.</summary>
internal sealed class ModelEndpoints(ServedModel model, ModelCatalog catalog)
{
    /// <summary>All models: the served one, and its versions.</summary>
    public async Task ListAsync(HttpContext context) =>
        await JsonAnswer.WriteAsync(
            context, new ModelList { Data = [.. (await catalog.NamesAsync()).Select(item => Body(item.Name, item.CreatedAt))] }, ApiJsonContext.Relaxed.ModelList);

    /// <summary>One model by its id, which may hold slashes.</summary>
    public async Task GetAsync(HttpContext context)
    {
        // Clients escape the id's slashes, and these are the one thing that the web server leaves escaped in a path.
        string id = (context.GetRouteValue("model") as string ?? "").Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        long created = await catalog.CreatedAsync(id) ?? throw ApiException.ModelNotFound(id);
        await JsonAnswer.WriteAsync(context, Body(id, created), ApiJsonContext.Relaxed.ModelBody);
    }

    private ModelBody Body(string id, long created) => new() { Id = id, Created = created, MaxModelLen = model.Info.MaxModelLength };
}
