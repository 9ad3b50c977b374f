using System.Text.Json;
using ToolN1.Api.Errors;
using ToolN1.Api.Shapes;
using ToolN1.Training.Jobs;
using ToolN1.Training.Jobs.Models;

namespace ToolN1.Api.Endpoints;

/// <summary>The model that a request names.</summary>
internal static class ModelAccess
{
    /// <summary>Takes it into use.</summary>
    /// <returns>To be disposed when the request has ended.</returns>
    /// <exception cref="ApiException">404: there is none of that name.</exception>
    public static async Task<ModelUse> UseNamedAsync(this ModelCatalog catalog, string? name, CancellationToken cancellationToken)
    {
        try
        {
            return await catalog.UseAsync(name, cancellationToken);
        }
        catch (TrainingRefusedException error) when (error.IsNotFound)
        {
            throw ApiException.ModelNotFound(name!);
        }
    }

    /// <summary>Refuses a name that is no model's; reads none into memory.</summary>
    /// <exception cref="ApiException">404: there is none of that name.</exception>
    public static async Task RequireAsync(this ModelCatalog catalog, JsonElement request)
    {
        if (request.String("model") is string name && await catalog.CreatedAsync(name) is null)
        {
            throw ApiException.ModelNotFound(name);
        }
    }
}
