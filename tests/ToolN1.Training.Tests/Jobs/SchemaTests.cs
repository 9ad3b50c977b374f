using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using ToolN1.Training.Hosting;
using ToolN1.Training.Jobs.Hosting;
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
        string folder = Directory.CreateTempSubdirectory("tooln1-held-").FullName;
        try
        {
            using TrainingStore first = new(Options.Create(new TrainingOptions()), Options.Create(new DataOptions { DataDirectory = folder }), TimeProvider.System);
            first.Open();
            using TrainingStore second = new(Options.Create(new TrainingOptions()), Options.Create(new DataOptions { DataDirectory = folder }), TimeProvider.System);
            Assert.Contains("ToolN1:DataDirectory", Assert.Throws<IOException>(second.Open).Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Open_Twice_KeepsWhatWasWritten()
    {
        string folder = Directory.CreateTempSubdirectory("tooln1-store-").FullName;
        try
        {
            for (int round = 1; round <= 2; round++)
            {
                using TrainingStore store = new(Options.Create(new TrainingOptions()), Options.Create(new DataOptions { DataDirectory = folder }), TimeProvider.System);
                Assert.Equal(round == 2, store.Exists);
                store.Open();
                store.Write(context => context.AddAudit(round, "me", "test", "it"));
                Assert.Equal(Enumerable.Range(1, round).Select(number => (long)number), store.Read(context => context.Audit.OrderBy(item => item.Sequence).Select(item => item.Sequence).ToList()));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
