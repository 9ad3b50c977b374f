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
    /// <summary>What there is now.</summary>
    public static async Task<ExampleNames> FindAsync(IServiceProvider services)
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
