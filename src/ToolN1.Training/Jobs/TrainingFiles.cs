using Microsoft.EntityFrameworkCore;
using ToolN1.Training.Checkpoints;
using ToolN1.Training.Data;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Training.Jobs;

/// <summary>Uploaded datasets: kept byte for byte under the data directory, listed in the database.</summary>
public sealed class TrainingFiles(TrainingStore store)
{
    private const string Folder = "files";
    private const string ContentFile = "content.jsonl";

    /// <summary>Takes in a file.</summary>
    /// <param name="receive">Writes its bytes to the path that it is given, and returns the name that it is uploaded under.</param>
    /// <param name="who">Who uploads it, for the audit log.</param>
    /// <param name="cancellationToken">Gives up; nothing stays.</param>
    /// <exception cref="TrainingRefusedException">It is not a dataset; tells the lines.</exception>
    public async Task<FileRecord> AddAsync(Func<string, Task<string>> receive, string who, CancellationToken cancellationToken)
    {
        string id = "file-" + Guid.NewGuid().ToString("N");
        string path = FolderOf(id);
        string temporary = DurableFolder.Begin(path);
        try
        {
            string file = Path.Combine(temporary, ContentFile);
            string name = await receive(file).ConfigureAwait(false);
            long bytes = new FileInfo(file).Length;
            DatasetCheck check = await Task.Run(() => DatasetReader.Check(file, cancellationToken), cancellationToken).ConfigureAwait(false);
            if (check.Faults.Count > 0)
            {
                string more = check.Faults.Count == DatasetReader.MostFaults ? " (and perhaps more)" : "";
                throw new TrainingRefusedException($"The file is not a dataset: {string.Join("; ", check.Faults)}{more}.", "file", "invalid_file");
            }

            string checksum = Manifest.Checksum(file);
            DurableFolder.Commit(temporary, path);
            return await store.WriteAsync(async context =>
            {
                FileRecord record = new()
                {
                    Id = id,
                    Number = 1 + (await context.Files.MaxAsync(item => (long?)item.Number, CancellationToken.None).ConfigureAwait(false) ?? 0),
                    Name = name,
                    Bytes = bytes,
                    Sha256 = checksum,
                    Rows = check.Rows,
                    LineWithoutReasoning = check.LineWithoutReasoning,
                    CreatedAt = store.Now,
                };
                context.Files.Add(record);
                context.AddAudit(store.Now, who, "file.upload", id);
                return record;
            }).ConfigureAwait(false);
        }
        catch
        {
            // Before it had its name, or after: a database that does not know it would leave its bytes to nobody.
            RemoveFolder(temporary);
            RemoveFolder(path);
            throw;
        }
    }

    /// <summary>A file.</summary>
    /// <exception cref="TrainingRefusedException">There is none of that id.</exception>
    public async Task<FileRecord> GetAsync(string id) =>
        await store.ReadAsync(context => context.Files.FindAsync(id).AsTask()).ConfigureAwait(false) ?? throw TrainingRefusedException.NotFound("file", id);

    /// <summary>A page of files.</summary>
    /// <param name="after">Id of the file before the page; null begins.</param>
    /// <param name="limit">Most files.</param>
    /// <param name="newestFirst">The order.</param>
    /// <exception cref="TrainingRefusedException">That file is not there, or no more.</exception>
    public async Task<Page<FileRecord>> ListAsync(string? after, int limit, bool newestFirst)
    {
        long? start = after is null ? null
            : await store.ReadAsync(context => context.Files.Where(file => file.Id == after).Select(file => (long?)file.Number).FirstOrDefaultAsync()).ConfigureAwait(false)
                ?? throw TrainingRefusedException.NoCursor("file", after);
        List<FileRecord> files = await store.ReadAsync(context =>
        {
            IQueryable<FileRecord> query = context.Files.AsNoTracking();
            query = newestFirst
                ? query.Where(file => start == null || file.Number < start).OrderByDescending(file => file.Number)
                : query.Where(file => start == null || file.Number > start).OrderBy(file => file.Number);
            return query.Take(limit + 1).ToListAsync();
        }).ConfigureAwait(false);
        return Page<FileRecord>.Of(files, limit);
    }

    /// <summary>Opens a file's bytes; the caller disposes the stream.</summary>
    /// <exception cref="TrainingRefusedException">Its bytes are gone.</exception>
    public FileStream Open(FileRecord file)
    {
        try
        {
            return new FileStream(ContentOf(file.Id), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16, FileOptions.Asynchronous);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new TrainingRefusedException($"The bytes of file '{file.Id}' are gone from the data directory.", null, "file_missing") { IsConflict = true };
        }
    }

    /// <summary>Removes a file. Jobs that began keep their copy of its rows.</summary>
    /// <exception cref="TrainingRefusedException">There is none of that id.</exception>
    public async Task DeleteAsync(string id, string who)
    {
        await store.WriteAsync(async context =>
        {
            context.Files.Remove(await context.Files.FindAsync(id).ConfigureAwait(false) ?? throw TrainingRefusedException.NotFound("file", id));
            context.AddAudit(store.Now, who, "file.delete", id);
            return true;
        }).ConfigureAwait(false);
        RemoveFolder(FolderOf(id));
    }

    /// <summary>Removes the bytes of files that the database does not know: a kill broke off their upload or their deletion. Nobody may be uploading.</summary>
    internal void Sweep()
    {
        HashSet<string> known = store.Read(context => context.Files.Select(file => file.Id).ToHashSet());
        string root = store.PathOf(Folder);
        foreach (string folder in Directory.Exists(root) ? Directory.GetDirectories(root) : [])
        {
            if (!known.Contains(Path.GetFileName(folder)))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    /// <summary>Path of a file's bytes.</summary>
    internal string ContentOf(string id) => Path.Combine(FolderOf(id), ContentFile);

    private static void RemoveFolder(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private string FolderOf(string id) => store.PathOf(Path.Combine(Folder, id));
}
