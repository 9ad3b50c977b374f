using ToolN1.Api.Auth;
using ToolN1.Training.Jobs;
using ToolN1.Training.Jobs.Models;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Api.OpenApi;

/// <summary>What the examples of the documentation name.</summary>
/// <param name="Model">The served model.</param>
/// <param name="Version">The newest version that is not live; without any, the live one.</param>
/// <param name="TrainingFile">The newest uploaded file; null where there is none.</param>
/// <param name="HeldOutFile">The one before it; null where there is none.</param>
internal sealed record ExampleNames(string Model, string Version, string? TrainingFile, string? HeldOutFile)
{
    /// <summary>Names of nothing, the same on every server.</summary>
    public static ExampleNames Generic { get; } = new("MODEL", "MODEL@job-1-step-40", null, null);

    /// <summary>
    /// What the examples of a route name. The document is for everybody, what there is only for those who may ask the route
    /// itself for it: callers whose key opens it, or anybody where there are no keys.
    /// </summary>
    /// <param name="services">The services of the request for the document.</param>
    /// <param name="access">What the route needs.</param>
    public static async Task<ExampleNames> ForCallerAsync(IServiceProvider services, Access access)
    {
        KeyRing keys = services.GetRequiredService<KeyRing>();
        HttpContext? caller = services.GetRequiredService<IHttpContextAccessor>().HttpContext;
        return !keys.HasKeys || (caller is not null && keys.Opens(BearerKey.Of(caller.Request), access)) ? await FindAsync(services) : Generic;
    }

    /// <summary>What there is now.</summary>
    private static async Task<ExampleNames> FindAsync(IServiceProvider services)
    {
        ModelCatalog catalog = services.GetRequiredService<ModelCatalog>();
        string live = catalog.Live;
        string version = (await catalog.NamesAsync()).Skip(1).LastOrDefault(model => model.Name != live).Name ?? live;
        IReadOnlyList<FileRecord> files = services.GetRequiredService<TrainingStore>().IsOpen
            ? (await services.GetRequiredService<TrainingFiles>().ListAsync(after: null, limit: 2, newestFirst: true)).Items
            : [];
        return new ExampleNames(catalog.BaseName, version, files.ElementAtOrDefault(0)?.Id, files.ElementAtOrDefault(1)?.Id);
    }
}
