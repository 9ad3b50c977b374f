using Microsoft.EntityFrameworkCore;
using ToolN1.Training.Jobs.Methods;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Training.Jobs.Models;

/// <summary>What the database knows of the served model's versions, and of the checkpoints that versions would be made of. Safe to call from any thread.</summary>
internal sealed class ModelRecords(TrainingStore store, string baseName, IReadOnlyList<ITrainingMethod> methods)
{
    /// <summary>The versions that are registered, oldest first.</summary>
    public async Task<IReadOnlyList<ModelRecord>> AllAsync() => store.IsOpen
        ? await store.ReadAsync(context => context.Models.AsNoTracking().Where(model => model.BaseModel == baseName).OrderBy(model => model.CreatedAt).ThenBy(model => model.Step).ToListAsync()).ConfigureAwait(false)
        : [];

    /// <summary>A version's record; null where it is not registered.</summary>
    public async Task<ModelRecord?> FindAsync(string name) => (await AllAsync().ConfigureAwait(false)).FirstOrDefault(model => model.Name == name);

    /// <summary>Registers a version; what had its name before is replaced.</summary>
    public Task ReplaceAsync(ModelRecord model) => store.WriteAsync(async context =>
    {
        if (await context.Models.FindAsync(model.Name).ConfigureAwait(false) is ModelRecord old)
        {
            context.Models.Remove(old);
            await context.SaveChangesAsync(CancellationToken.None).ConfigureAwait(false);
        }

        context.Models.Add(model);
        return true;
    });

    /// <summary>What a version's job started from.</summary>
    public Task<string> StartOfAsync(ModelRecord model, CancellationToken cancellationToken) =>
        store.ReadAsync(context => context.Jobs.AsNoTracking().Where(item => item.Id == model.JobId).Select(item => item.StartModel).FirstAsync(cancellationToken));

    /// <summary>The checkpoint that a version's name means, with its job and what can export it; null where there is none.</summary>
    public async Task<(JobRecord Job, ITrainingMethod Method, CheckpointRecord Checkpoint)?> CheckpointAsync(string name, CancellationToken cancellationToken)
    {
        if (!store.IsOpen || ModelNames.Parse(baseName, name) is not (long number, int step))
        {
            return null;
        }

        JobRecord? job = await store.ReadAsync(context => context.Jobs.AsNoTracking().FirstOrDefaultAsync(item => item.Number == number, cancellationToken)).ConfigureAwait(false);
        if (job is null || ModelNames.Of(baseName, number, step, job.Suffix) != name || methods.FirstOrDefault(item => item.Name == job.Method) is not ITrainingMethod method)
        {
            return null;
        }

        CheckpointRecord? checkpoint = await store.ReadAsync(context => context.Checkpoints.AsNoTracking().FirstOrDefaultAsync(item => item.JobId == job.Id && item.Step == step, cancellationToken)).ConfigureAwait(false);
        return checkpoint is null ? null : (job, method, checkpoint);
    }
}
