using ToolN1.Training.Data;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Training.Jobs;

/// <summary>A job's folder: its own copy of its rows, beside what its method keeps.</summary>
internal static class JobFolders
{
    private const string TrainingFile = "training.jsonl";
    private const string HeldOutFile = "held-out.jsonl";

    /// <summary>The job's folder.</summary>
    public static string Of(TrainingStore store, string jobId) => store.PathOf(Path.Combine("jobs", jobId));

    /// <summary>The job's held-out rows, or null where it has none.</summary>
    public static string? HeldOutRows(TrainingStore store, string jobId)
    {
        string path = Path.Combine(RowsFolder(store, jobId), HeldOutFile);
        return File.Exists(path) ? path : null;
    }

    /// <summary>Copies a job's rows, in our own format, so that later starts train on the same whatever becomes of the files.</summary>
    /// <returns>The training rows.</returns>
    /// <exception cref="TrainingRefusedException">A file is gone, or is not what was uploaded.</exception>
    public static string PrepareRows(TrainingStore store, TrainingFiles files, JobRecord job)
    {
        string folder = RowsFolder(store, job.Id);
        if (Directory.Exists(folder))
        {
            DurableFolder.Check(folder);
            return Path.Combine(folder, TrainingFile);
        }

        string temporary = DurableFolder.Begin(folder);
        Copy(files.ContentOf(job.TrainingFile), Path.Combine(temporary, TrainingFile), "training_file", job.DataHash);
        if (job.ValidationFile is not null)
        {
            Copy(files.ContentOf(job.ValidationFile), Path.Combine(temporary, HeldOutFile), "validation_file", null);
        }

        DurableFolder.Commit(temporary, folder);
        return Path.Combine(folder, TrainingFile);
    }

    private static void Copy(string from, string to, string field, string? hash)
    {
        if (!File.Exists(from))
        {
            throw new TrainingRefusedException($"The bytes of the {field} are gone from the data directory.", field, "file_missing");
        }

        if (hash is not null && DurableFolder.Checksum(from) != hash)
        {
            throw new TrainingRefusedException($"The {field} in the data directory is not what was uploaded.", field, "file_changed");
        }

        TrainingRowWriter.Write(to, DatasetReader.Read(from).Select(item => item.Row));
    }

    private static string RowsFolder(TrainingStore store, string jobId) => Path.Combine(Of(store, jobId), "rows");
}
