using ToolN1.Training.Checkpoints;
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
    /// <param name="store">Knows the folder.</param>
    /// <param name="files">The uploaded files.</param>
    /// <param name="job">The job.</param>
    /// <param name="judgesWords">Whether held-out rows that are answered in words can be judged; else they are left out.</param>
    /// <returns>The training rows, and how many held-out rows this call left out.</returns>
    /// <exception cref="TrainingRefusedException">A file is gone, or is not what was uploaded.</exception>
    public static (string Rows, int LeftOut) PrepareRows(TrainingStore store, TrainingFiles files, JobRecord job, bool judgesWords)
    {
        string folder = RowsFolder(store, job.Id);
        if (Directory.Exists(folder))
        {
            Manifest.Check(folder);
            return (Path.Combine(folder, TrainingFile), 0);
        }

        int leftOut = 0;
        DurableFolder.Write(folder, temporary =>
        {
            Copy(files.ContentOf(job.TrainingFile), Path.Combine(temporary, TrainingFile), "training_file", job.DataHash, _ => true);
            if (job.ValidationFile is not null)
            {
                string? uploaded = store.Read(context => context.Files.Where(file => file.Id == job.ValidationFile).Select(file => file.Sha256).FirstOrDefault());
                Copy(files.ContentOf(job.ValidationFile), Path.Combine(temporary, HeldOutFile), "validation_file", uploaded, row =>
                {
                    bool stays = judgesWords || row.Reply is null;
                    leftOut += stays ? 0 : 1;
                    return stays;
                });
            }
        });
        return (Path.Combine(folder, TrainingFile), leftOut);
    }

    private static void Copy(string from, string to, string field, string? hash, Func<TrainingRow, bool> stays)
    {
        if (hash is null || !File.Exists(from))
        {
            throw TrainingRefusedException.BytesGone(field);
        }

        if (Manifest.Checksum(from) != hash)
        {
            throw new TrainingRefusedException($"The {field} in the data directory is not what was uploaded.", field, "file_changed");
        }

        TrainingRowWriter.Write(to, DatasetReader.Read(from).Select(item => item.Row).Where(stays));
    }

    private static string RowsFolder(TrainingStore store, string jobId) => Path.Combine(Of(store, jobId), "rows");
}
