using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using ToolN1.TestSupport;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Training.Tests.Jobs;

public sealed class SchemaTests
{
    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public void Migrations_EndAtTheModel(string provider)
    {
        DbContextOptionsBuilder<TrainingContext> builder = new();
        using TrainingContext context = new((provider == "sqlite" ? builder.UseSqlite("Data Source=:memory:") : builder.UseNpgsql("Host=nowhere.invalid")).Options);

        Assert.False(context.Database.HasPendingModelChanges());
        Assert.NotEmpty(context.Database.GetMigrations());
    }

    [Fact]
    public void Open_DirectoryHeldByAnother_NamesTheOption()
    {
        using TemporaryFolder folder = new("held");
        using TrainingStore first = TestStore.Open(folder.Path);
        using TrainingStore second = TestStore.Of(folder.Path);
        Assert.Contains("ToolN1:DataDirectory", Assert.Throws<IOException>(second.Open).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Open_AfterAKillWhileItMigrated_IsNotHeldUp(bool wasDone)
    {
        using TemporaryFolder folder = new("migrating");
        if (wasDone)
        {
            TestStore.Open(folder.Path).Dispose();
        }

        // EF's lock, as a process leaves it that is killed while it holds it.
        await using (SqliteConnection connection = new("Data Source=" + Path.Combine(folder.Path, "tooln1.db")))
        {
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            await using SqliteCommand command = connection.CreateCommand();
            command.CommandText = """
                CREATE TABLE IF NOT EXISTS "__EFMigrationsLock" ("Id" INTEGER NOT NULL CONSTRAINT "PK___EFMigrationsLock" PRIMARY KEY, "Timestamp" TEXT NOT NULL);
                INSERT INTO "__EFMigrationsLock" VALUES (1, '2026-01-01 00:00:00+00:00');
                """;
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        using TrainingStore store = TestStore.Of(folder.Path);
        await Task.Run(store.Open, TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        Assert.Empty(store.Read(context => context.Jobs.ToList()));
    }

    [Fact]
    public async Task WriteAsync_ThatFailsHalfWay_LeavesNothing()
    {
        using TemporaryFolder folder = new("half");
        using TrainingStore store = TestStore.Open(folder.Path);
        await Assert.ThrowsAsync<InvalidOperationException>(() => store.WriteAsync<bool>(async context =>
        {
            context.AddAudit(1, "me", "test", "it");
            await context.SaveChangesAsync(TestContext.Current.CancellationToken);
            throw new InvalidOperationException();
        }));

        Assert.Empty(store.Read(context => context.Audit.ToList()));
    }

    [Fact]
    public void Open_Twice_KeepsWhatWasWritten()
    {
        using TemporaryFolder folder = new("store");
        for (int round = 1; round <= 2; round++)
        {
            using TrainingStore store = TestStore.Of(folder.Path);
            Assert.Equal(round == 2, store.Exists);
            store.Open();
            store.Write(context => context.AddAudit(round, "me", "test", "it"));
            Assert.Equal(Enumerable.Range(1, round).Select(number => (long)number), store.Read(context => context.Audit.OrderBy(item => item.Sequence).Select(item => item.Sequence).ToList()));
        }
    }
}
