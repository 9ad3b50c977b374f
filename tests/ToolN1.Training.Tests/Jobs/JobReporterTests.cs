using Microsoft.EntityFrameworkCore;
using ToolN1.Training.Grpo;
using ToolN1.Training.Jobs;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Training.Tests.Jobs;

public sealed class JobReporterTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tooln1-reporter-").FullName;
    private readonly TrainingStore _store;

    public JobReporterTests() => _store = TestStore.Open(_folder, TestStore.Job());

    public void Dispose()
    {
        _store.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Edits_RunThatWentBack_LetTheNewestChangeHold()
    {
        JobReporter reporter = new(_store, "job");
        Ask(1, "first");
        Assert.Equal(["first"], reporter.Edits(3));
        Assert.Empty(reporter.Edits(4));
        Ask(2, "second");
        Assert.Equal(["first", "second"], reporter.Edits(5));

        // Killed, and gone on from a checkpoint of step 2 with another change: at step 5 it still holds.
        Ask(3, "third");
        Assert.Equal(["first", "third"], reporter.Edits(3));
        Assert.Empty(reporter.Edits(4));
        Assert.Equal(["first", "second", "third"], reporter.Edits(5));
    }

    [Fact]
    public async Task Reports_DatabaseOutOfReachForAMoment_AreWrittenOnceItIsBack()
    {
        JobReporter reporter = new(_store, "job");
        reporter.Started(0, 4);
        Run("ALTER TABLE events RENAME TO elsewhere");
        Task back = Task.Run(
            async () =>
            {
                await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
                Run("ALTER TABLE elsewhere RENAME TO events");
            },
            TestContext.Current.CancellationToken);
        reporter.Evaluated(0, "held-out rows", new Dictionary<string, double> { ["valid_rate"] = 0.5 });
        await back;

        Assert.Equal([("valid_rate", 0.5)], _store.Read(context => context.Metrics.AsEnumerable().Select(item => (item.Name, item.Value)).ToList()));
        Assert.Equal("held-out rows", _store.Read(context => context.Events.OrderBy(item => item.Sequence).Last().Message));
    }

    [Fact]
    public void Samples_WithANul_AreKeptWithoutIt()
    {
        JobReporter reporter = new(_store, "job");
        reporter.Sampled(1, [new GrpoSample(1, 0, "a\0b", "c\0", "\0d", 3, null, "e\0", [null])]);

        // PostgreSQL's texts hold none.
        Assert.Equal(["a\uFFFDb", "c\uFFFD", "\uFFFDd", "e\uFFFD"], _store.Read(context =>
        {
            SampleRecord sample = context.Samples.Single();
            return new[] { sample.Request, sample.Expected, sample.Completion, sample.Failure! };
        }));
    }

    [Fact]
    public void Started_CheckpointWrittenJustBeforeAKill_IsListedWithItsFigures()
    {
        JobReporter killed = new(_store, "job");
        killed.Started(0, 4);
        killed.Measured(1, 10, "first", new Dictionary<string, double> { ["loss"] = 2 });
        killed.Saved(1, Checkpoint(1));
        killed.Measured(2, 20, "second", new Dictionary<string, double> { ["loss"] = 1 });
        Checkpoint(2);
        Directory.CreateDirectory(Path.Combine(_folder, "jobs", "job", "checkpoints", "step-00000003.tmp"));

        new JobReporter(_store, "job").Started(2, 4);
        CheckpointRecord[] checkpoints = _store.Read(context => context.Checkpoints.OrderBy(item => item.Step).ToArray());
        Assert.Equal([1, 2], checkpoints.Select(item => item.Step));
        Assert.Equal("""{"loss":1,"step":2}""", checkpoints[1].Metrics);
        Assert.Equal(Checkpoint(2), _store.PathOf(checkpoints[1].Folder));
        Assert.Single(_store.Read(context => context.Events.ToList()), item => item.Message == "Checkpoint created at step 2");
    }

    [Fact]
    public void Started_CheckpointRemovedJustBeforeAKill_IsListedNoMore()
    {
        JobReporter killed = new(_store, "job");
        killed.Started(0, 2);
        killed.Saved(1, Checkpoint(1));
        Checkpoint(2);
        Directory.Delete(Checkpoint(1));

        // There is no later step whose checkpoint would tell.
        new JobReporter(_store, "job").Started(2, 2);
        Assert.Equal([2], _store.Read(context => context.Checkpoints.Select(item => item.Step).ToArray()));
    }

    private string Checkpoint(int step) => Directory.CreateDirectory(Path.Combine(_folder, "jobs", "job", "checkpoints", $"step-{step:D8}")).FullName;

    private void Ask(long sequence, string values) =>
        _store.Write(context => context.Edits.Add(new EditRecord { JobId = "job", Sequence = sequence, Values = values, CreatedAt = 0 }));

    private void Run(string sql)
    {
        using TrainingContext context = _store.Context();
#pragma warning disable EF1002 // The tests' own text.
        context.Database.ExecuteSqlRaw(sql);
#pragma warning restore EF1002
    }
}
