using System.Linq.Expressions;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using ToolN1.Training.Data;
using ToolN1.Training.Jobs;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Training.Captures;

/// <summary>
/// What reviewers do with captures: list, read, confirm, correct, reject, delete, and export those that were found right as a
/// training file. There is no other way from a capture into training.
/// </summary>
public sealed class CaptureReview(TrainingStore store, TrainingFiles files)
{
    private const int RowsAtOnce = 100;

    /// <summary>A capture's redacted conversation and answer.</summary>
    public static CaptureDocument DocumentOf(CaptureRecord capture) => CaptureRow.DocumentOf(capture);

    /// <summary>What the reviewer said that the answer should have been; null where it was not corrected.</summary>
    public static CaptureCorrection? CorrectionOf(CaptureRecord capture) => CaptureRow.CorrectionOf(capture);

    /// <summary>A capture.</summary>
    /// <exception cref="TrainingRefusedException">There is none of that id.</exception>
    public async Task<CaptureRecord> GetAsync(string id) =>
        await store.ReadAsync(context => context.Captures.AsNoTracking().FirstOrDefaultAsync(capture => capture.Id == id)).ConfigureAwait(false)
            ?? throw TrainingRefusedException.NotFound("capture", id);

    /// <summary>A page of captures, newest first.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="after">Id of the capture before the page; null begins.</param>
    /// <param name="limit">Most captures.</param>
    /// <exception cref="TrainingRefusedException">That capture is not there, or no more.</exception>
    public async Task<Page<CaptureRecord>> ListAsync(CaptureFilter filter, string? after, int limit)
    {
        long before = after is null ? long.MaxValue
            : await store.ReadAsync(context => context.Captures.Where(capture => capture.Id == after).Select(capture => (long?)capture.Number).FirstOrDefaultAsync()).ConfigureAwait(false)
                ?? throw TrainingRefusedException.NoCursor("capture", after);
        return Page<CaptureRecord>.Of(
            await store.ReadAsync(context => filter.Apply(context.Captures.AsNoTracking())
                .Where(capture => capture.Number < before).OrderByDescending(capture => capture.Number).Take(limit + 1).ToListAsync()).ConfigureAwait(false),
            limit);
    }

    /// <summary>The answer is right as it was.</summary>
    /// <exception cref="TrainingRefusedException">There is no such capture, or its answer cannot be taught: it did not come to its end, or its calls break their tools' schemas.</exception>
    public Task<CaptureRecord> ConfirmAsync(string id, string who) => ReviewAsync(id, who, "capture.confirm", capture =>
    {
        if (capture.FinishReason is not ("stop" or "tool_calls"))
        {
            throw new TrainingRefusedException($"The answer did not come to its end ({capture.FinishReason}); correct it or reject it.", null, "capture_unfinished") { IsConflict = true };
        }

        CaptureDocument document = CaptureRow.DocumentOf(capture);
        if (CallCheck.Find(document.Tools, document.Calls) is SchemaFault fault)
        {
            throw new TrainingRefusedException($"The captured call is wrong at '{fault.Place}': {fault.Rule}. Correct it or reject it.", fault.Place, "invalid_call") { IsConflict = true };
        }

        (capture.Status, capture.Correction) = (CaptureStatus.Confirmed, null);
    });

    /// <summary>The answer should have been another.</summary>
    /// <exception cref="TrainingRefusedException">There is no such capture, or the correction does not fit the request's tools; names the field.</exception>
    public Task<CaptureRecord> CorrectAsync(string id, CaptureCorrection correction, string who) => ReviewAsync(id, who, "capture.correct", capture =>
    {
        CaptureDocument document = CaptureRow.DocumentOf(capture);
        if (CallCheck.Find(document.Tools, correction.Calls) is SchemaFault fault)
        {
            throw new TrainingRefusedException($"Invalid value for '{fault.Place}': {fault.Rule}.", fault.Place);
        }

        bool needsReply = document.Tools.Count == 0;
        if (needsReply != correction.Reply is not null)
        {
            throw new TrainingRefusedException(
                needsReply ? "'reply' is needed: the request offered no tools, so the right answer is one in words." : "'reply' is for requests that offered no tools; where they did, calls are what is learnt.",
                "reply");
        }

        capture.Status = CaptureStatus.Corrected;
        capture.Correction = JsonSerializer.Serialize(correction, CaptureJson.Relaxed.CaptureCorrection);
    });

    /// <summary>The capture is of no use.</summary>
    /// <exception cref="TrainingRefusedException">There is no such capture.</exception>
    public Task<CaptureRecord> RejectAsync(string id, string who) =>
        ReviewAsync(id, who, "capture.reject", capture => (capture.Status, capture.Correction) = (CaptureStatus.Rejected, null));

    /// <summary>Removes a capture. Files that it was exported to keep its row.</summary>
    /// <exception cref="TrainingRefusedException">There is none of that id.</exception>
    public Task DeleteAsync(string id, string who) => store.WriteAsync(async context =>
    {
        context.Captures.Remove(await context.Captures.FindAsync(id).ConfigureAwait(false) ?? throw TrainingRefusedException.NotFound("capture", id));
        context.AddAudit(store.Now, who, "capture.delete", id);
        return true;
    });

    /// <summary>Writes what was confirmed or corrected to a training file, oldest first.</summary>
    /// <param name="filter">Which of them.</param>
    /// <param name="options">What else.</param>
    /// <param name="who">Who asks, for the audit log.</param>
    /// <param name="cancellationToken">Gives up; nothing stays.</param>
    /// <exception cref="TrainingRefusedException">There are none.</exception>
    public async Task<FileRecord> ExportAsync(CaptureFilter filter, CaptureExport options, string who, CancellationToken cancellationToken)
    {
        List<long> written = [];
        FileRecord file = await files.AddAsync(
            async path =>
            {
                await WriteRowsAsync(path, filter, options, written, cancellationToken).ConfigureAwait(false);
                return options.FileName;
            },
            who,
            cancellationToken).ConfigureAwait(false);
        await store.WriteAsync(async context =>
        {
            foreach (long[] numbers in written.Chunk(RowsAtOnce))
            {
                await context.Captures.Where(capture => numbers.Contains(capture.Number))
                    .ExecuteUpdateAsync(set => set.SetProperty(capture => capture.ExportedFile, file.Id), CancellationToken.None).ConfigureAwait(false);
            }

            context.AddAudit(store.Now, who, "capture.export", file.Id);
            return true;
        }).ConfigureAwait(false);
        return file;
    }

    private async Task WriteRowsAsync(string path, CaptureFilter filter, CaptureExport options, List<long> written, CancellationToken cancellationToken)
    {
        await using StreamWriter writer = new(path, append: false, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { NewLine = "\n" };
        long last = 0;
        List<CaptureRecord> captures;
        do
        {
            captures = await store.ReadAsync(context => filter.Apply(context.Captures.AsNoTracking())
                .Where(IsReviewed).Where(capture => capture.Number > last && (!options.OnlyNew || capture.ExportedFile == null))
                .OrderBy(capture => capture.Number).Take(RowsAtOnce).ToListAsync(cancellationToken)).ConfigureAwait(false);
            foreach (CaptureRecord capture in captures)
            {
                last = capture.Number;
                TrainingRow row = CaptureRow.Of(capture);
                if ((filter.Tool is null || row.Answer.Any(call => call.Name == filter.Tool))
                    && (!options.RequireReasoning || row.Think is not null || row.Reply is not null))
                {
                    await writer.WriteLineAsync(TrainingRowWriter.ToJson(row).AsMemory(), cancellationToken).ConfigureAwait(false);
                    written.Add(capture.Number);
                }
            }
        }
        while (captures.Count == RowsAtOnce);

        if (written.Count == 0)
        {
            throw new TrainingRefusedException("No capture that was confirmed or corrected is left to export.", null, "no_reviewed_captures") { IsConflict = true };
        }
    }

    private Task<CaptureRecord> ReviewAsync(string id, string who, string action, Action<CaptureRecord> review) => store.WriteAsync(async context =>
    {
        CaptureRecord capture = await context.Captures.FindAsync(id).ConfigureAwait(false) ?? throw TrainingRefusedException.NotFound("capture", id);
        review(capture);
        IEnumerable<CapturedCall> calls = CaptureRow.DocumentOf(capture).Calls.Concat(CaptureRow.CorrectionOf(capture)?.Calls ?? []);
        capture.CalledTools = CaptureMaker.ToolList(calls.Select(call => call.Name));
        (capture.ReviewedAt, capture.ReviewedBy) = (store.Now, who);
        if (capture.Status != CaptureStatus.Rejected)
        {
            // What could not be written as a row is told now, not when it is exported.
            CaptureRow.Of(capture);
        }

        context.AddAudit(store.Now, who, action, id);
        return capture;
    });

    private static Expression<Func<CaptureRecord, bool>> IsReviewed =>
        capture => capture.Status == CaptureStatus.Confirmed || capture.Status == CaptureStatus.Corrected;
}
