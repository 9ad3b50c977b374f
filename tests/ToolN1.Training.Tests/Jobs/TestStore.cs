using Microsoft.Extensions.Options;
using ToolN1.Training.Hosting;
using ToolN1.Training.Jobs.Hosting;
using ToolN1.Training.Jobs.Models;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Training.Tests.Jobs;

/// <summary>The training state of tests: SQLite in a folder, and running jobs that nobody runs.</summary>
internal static class TestStore
{
    /// <summary>Not open yet.</summary>
    public static TrainingStore Of(string folder) =>
        new(Options.Create(new TrainingOptions()), Options.Create(new DataOptions { DataDirectory = folder }), TimeProvider.System);

    public static TrainingStore Open(string folder, params JobRecord[] jobs)
    {
        TrainingStore store = Of(folder);
        store.Open();
        store.Write(context => context.Jobs.AddRange(jobs));
        return store;
    }

    /// <summary>A reinforcement job of the served model 'tiny'.</summary>
    public static JobRecord Job(string id = "job", long number = 1, string settings = "{}") => new()
    {
        Id = id,
        Number = number,
        Status = JobStatus.Running,
        Wish = JobWish.Run,
        Model = "tiny",
        StartModel = ModelNames.First("tiny"),
        Method = "reinforcement",
        Settings = settings,
        TrainingFile = "file",
        DataHash = "hash",
        Seed = 1,
        Metadata = "{}",
        CreatedAt = 0,
    };
}
