using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using ToolN1.Engine.Execution;
using ToolN1.Engine.Model;
using ToolN1.Training.Evaluation;
using ToolN1.Training.Jobs.Methods;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Training.Jobs.Models;

/// <summary>Which version is live: promotion behind its gate, rollback, and the audit log of both. Safe to call from any thread.</summary>
public sealed class Promotions(
    TrainingStore store, ModelCatalog catalog, IModelHost host, HeldOut heldOut, IEnumerable<ITrainingMethod> methods, ILogger<Promotions> logger) : IDisposable
{
    private const string Server = "server";
    private const string NoGate = "it is what the server was started with, and going back to that needs no gate";

    private readonly SemaphoreSlim _oneAtATime = new(1);

    /// <summary>A page of the audit log, newest first.</summary>
    /// <param name="after">Sequence of the entry before the page; null begins.</param>
    /// <param name="limit">Most entries.</param>
    public async Task<Page<AuditRecord>> AuditAsync(long? after, int limit)
    {
        long before = after ?? long.MaxValue;
        return Page<AuditRecord>.Of(
            await store.ReadAsync(context => context.Audit.AsNoTracking().Where(item => item.Sequence < before).OrderByDescending(item => item.Sequence).Take(limit + 1).ToListAsync()).ConfigureAwait(false),
            limit);
    }

    /// <summary>
    /// Makes a version live if it does no worse on its job's held-out rows than the live one does. Going back to the first version, which no
    /// job made, needs no gate, as a rollback needs none.
    /// </summary>
    /// <param name="name">The version.</param>
    /// <param name="mustImprove">Asks for more: it must do better, with p below 0.05.</param>
    /// <param name="force">Does it whatever the gate says, and records that.</param>
    /// <param name="who">Who asks, for the audit log.</param>
    /// <param name="cancellationToken">Gives up before the change.</param>
    /// <exception cref="TrainingRefusedException">There is no such version, it is live, or the gate stands against it.</exception>
    public async Task<LiveChange> PromoteAsync(string name, bool mustImprove, bool force, string who, CancellationToken cancellationToken)
    {
        if (name == catalog.BaseName)
        {
            throw catalog.NoVersion();
        }

        string before = catalog.Live;
        if (name == before)
        {
            throw new TrainingRefusedException($"'{name}' is live already.", "model", "already_live") { IsConflict = true };
        }

        // 1. The gate, which may take minutes: a rollback need not wait for it.
        using ModelUse live = await catalog.UseWholeAsync(before, cancellationToken).ConfigureAwait(false);
        using ModelUse use = await catalog.UseWholeAsync(name, cancellationToken).ConfigureAwait(false);
        ModelRecord? model = await catalog.RecordAsync(name).ConfigureAwait(false);
        (PromotionGate? Gate, string DataHash)? comparison = await CompareAsync(model, live, use, mustImprove, cancellationToken).ConfigureAwait(false);
        PromotionGate? gate = comparison?.Gate;
        bool isFirst = name == ModelNames.First(catalog.BaseName);
        string? objection = gate is not null ? (gate.Passes ? null : gate.Reason)
            : comparison is not null ? "none of the held-out answers could be scored for both versions"
            : !isFirst ? "there are no held-out rows to compare it on (its job had no validation_file)"
            : mustImprove ? "no job made it, so there are no held-out rows to show an improvement on"
            : null;
        if (objection is not null && !force)
        {
            throw new TrainingRefusedException($"'{name}' does not pass the gate: {objection}. \"force\": true promotes it all the same.", "model", "gate_failed") { IsConflict = true };
        }

        // 2. The swap, then its record; without the record there is no swap.
        await _oneAtATime.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (catalog.Live != before)
            {
                throw new TrainingRefusedException($"'{catalog.Live}' became live while '{name}' was held against '{before}'; ask again.", "model", "live_changed") { IsConflict = true };
            }

            LiveChange change = new(before, name, gate?.Cases, gate?.BaseCorrect, gate?.CandidateCorrect, gate?.PValue, objection is not null);
            PromotionDetails details = new(before, name, model?.DataHash, comparison?.DataHash, change.HeldOutRows, change.CorrectBefore, change.CorrectNow, change.IsForced, objection ?? (isFirst ? NoGate : null));
            await SwapAsync(name, use.WeightVersion!, async () => await store.WriteAsync(async context =>
            {
                context.Promotions.Add(new PromotionRecord
                {
                    Sequence = 1 + (await context.Promotions.MaxAsync(item => (long?)item.Sequence, CancellationToken.None).ConfigureAwait(false) ?? 0),
                    Model = name,
                    BaseModel = catalog.BaseName,
                    CreatedAt = store.Now,
                });
                context.AddAudit(store.Now, who, "model.promote", name, JsonSerializer.Serialize(details, JobsJson.Relaxed.PromotionDetails));
                return true;
            }).ConfigureAwait(false)).ConfigureAwait(false);
            return change;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>Makes live what was live before the last promotion; where that cannot be used any more, what was live before it.</summary>
    /// <exception cref="TrainingRefusedException">Nothing was promoted.</exception>
    public async Task<LiveChange> RollbackAsync(string who, CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await RollbackAsync(who, null, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>Makes live what was live when the server stopped; where that cannot be read any more, what was live before it.</summary>
    internal async Task RestoreAsync(CancellationToken cancellationToken)
    {
        while (await LastPromotionAsync().ConfigureAwait(false) is PromotionRecord last && last.Model != ModelNames.First(catalog.BaseName))
        {
            try
            {
                using ModelUse use = await catalog.UseWholeAsync(last.Model, cancellationToken).ConfigureAwait(false);
                await SwapAsync(last.Model, use.WeightVersion!, () => Task.CompletedTask).ConfigureAwait(false);
                return;
            }
            catch (Exception error) when (IsUnusable(error))
            {
                JobLog.PromotedModelUnusable(logger, error, last.Model);
                await TakeBackAsync(Server, last, await PreviousAsync(last).ConfigureAwait(false), error.Message).ConfigureAwait(false);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _oneAtATime.Dispose();

    private async Task<LiveChange> RollbackAsync(string who, string? reason, CancellationToken cancellationToken)
    {
        PromotionRecord last = await LastPromotionAsync().ConfigureAwait(false)
            ?? throw new TrainingRefusedException("No model was promoted: there is nothing to roll back to.", null, "nothing_promoted") { IsConflict = true };
        (string previous, ModelUse model) = await UsePreviousAsync(last, cancellationToken).ConfigureAwait(false);
        using ModelUse use = model;
        await SwapAsync(previous, use.WeightVersion!, () => TakeBackAsync(who, last, previous, reason)).ConfigureAwait(false);
        return new LiveChange(last.Model, previous, null, null, null, null, false);
    }

    /// <summary>What was live before a promotion; promotions of what cannot be used any more are taken back on the way.</summary>
    private async Task<(string Name, ModelUse Use)> UsePreviousAsync(PromotionRecord last, CancellationToken cancellationToken)
    {
        while (true)
        {
            PromotionRecord? before = await LastPromotionAsync(last.Sequence).ConfigureAwait(false);
            string name = before?.Model ?? ModelNames.First(catalog.BaseName);
            try
            {
                return (name, await catalog.UseWholeAsync(name, cancellationToken).ConfigureAwait(false));
            }
            catch (Exception error) when (before is not null && IsUnusable(error))
            {
                JobLog.PromotedModelUnusable(logger, error, before.Model);
                await TakeBackAsync(Server, before, await PreviousAsync(before).ConfigureAwait(false), error.Message).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Takes a promotion back, with the scores of its gate and the data of what is live instead.</summary>
    private Task<bool> TakeBackAsync(string who, PromotionRecord last, string previous, string? reason) => store.WriteAsync(async context =>
    {
        (await context.Promotions.FindAsync(last.Sequence).ConfigureAwait(false))!.IsRolledBack = true;
        string? dataHash = (await context.Models.FindAsync(previous).ConfigureAwait(false))?.DataHash;
        AuditRecord? promoted = await context.Audit.AsNoTracking()
            .Where(item => item.Action == "model.promote" && item.Subject == last.Model).OrderByDescending(item => item.Sequence).FirstOrDefaultAsync().ConfigureAwait(false);
        PromotionDetails? gate = promoted is null ? null : JsonSerializer.Deserialize(promoted.Details, JobsJson.Relaxed.PromotionDetails);
        PromotionDetails details = new(
            last.Model, previous, dataHash, gate?.HeldOutHash, gate?.HeldOutRows, gate?.CorrectNow, gate?.From == previous ? gate.CorrectBefore : null, false, reason);
        context.AddAudit(store.Now, who, "model.rollback", previous, JsonSerializer.Serialize(details, JobsJson.Relaxed.PromotionDetails));
        return true;
    });

    /// <summary>The last promotion that stands; null for none.</summary>
    /// <param name="before">Only of those before this one.</param>
    private Task<PromotionRecord?> LastPromotionAsync(long before = long.MaxValue) => store.ReadAsync(context => context.Promotions.AsNoTracking()
        .Where(item => item.BaseModel == catalog.BaseName && !item.IsRolledBack && item.Sequence < before).OrderByDescending(item => item.Sequence).FirstOrDefaultAsync());

    private async Task<string> PreviousAsync(PromotionRecord last) => (await LastPromotionAsync(last.Sequence).ConfigureAwait(false))?.Model ?? ModelNames.First(catalog.BaseName);

    /// <summary>Whether a model's files are at fault.</summary>
    private static bool IsUnusable(Exception error) => error is CheckpointException or TrainingRefusedException or IOException or UnauthorizedAccessException;

    /// <summary>Swaps the live version, and swaps back where the record of it fails.</summary>
    private async Task SwapAsync(string name, string version, Func<Task> record)
    {
        string versionBefore = host.LiveVersion;
        await host.PromoteAsync(version, CancellationToken.None).ConfigureAwait(false);
        try
        {
            await record().ConfigureAwait(false);
        }
        catch
        {
            await host.PromoteAsync(versionBefore, CancellationToken.None).ConfigureAwait(false);
            throw;
        }

        catalog.Live = name;
    }

    /// <summary>Holds a version against the live one on its job's held-out rows, as far as both versions' answers could be scored; null where there are none.</summary>
    private async Task<(PromotionGate? Gate, string DataHash)?> CompareAsync(ModelRecord? model, ModelUse live, ModelUse use, bool mustImprove, CancellationToken cancellationToken)
    {
        if (model is null || JobFolders.HeldOutRows(store, model.JobId) is not string rows)
        {
            return null;
        }

        JobRecord job = await store.ReadAsync(context => context.Jobs.AsNoTracking().FirstAsync(item => item.Id == model.JobId, cancellationToken)).ConfigureAwait(false);
        HeldOutJudge? judge = methods.FirstOrDefault(method => method.Name == job.Method)?.Judge(job.Settings);
        (HeldOutScore before, _) = await heldOut.ScoreAsync(rows, live.WeightVersion!, judge, cancellationToken).ConfigureAwait(false);
        (HeldOutScore now, _) = await heldOut.ScoreAsync(rows, use.WeightVersion!, judge, cancellationToken).ConfigureAwait(false);
        (IReadOnlyList<bool> rightBefore, IReadOnlyList<bool> rightNow) = HeldOutScore.Common(before, now);
        return (rightNow.Count == 0 ? null : PromotionGate.Decide(rightBefore, rightNow, mustImprove), now.DataHash);
    }
}
