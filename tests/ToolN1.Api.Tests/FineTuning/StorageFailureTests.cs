using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ToolN1.Api.Errors;
using ToolN1.Api.Tests.Support;
using ToolN1.TestSupport;
using ToolN1.Training.Hosting;
using ToolN1.Training.Jobs;
using ToolN1.Training.Jobs.Hosting;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Api.Tests.FineTuning;

public sealed class StorageFailureTests
{
    private static readonly string[] Tables =
        ["audit", "captures", "checkpoints", "edits", "evaluations", "events", "files", "jobs", "metrics", "models", "promotions", "samples"];

    [Theory]
    [InlineData("GET", "/v1/files", "")]
    [InlineData("DELETE", "/v1/files/file-none", "")]
    [InlineData("GET", "/v1/fine_tuning/jobs", "")]
    [InlineData("POST", "/v1/fine_tuning/jobs", """{"model":"org/test-model","training_file":"file-none"}""")]
    [InlineData("POST", "/v1/fine_tuning/jobs/ftjob-none/pause", "")]
    [InlineData("GET", "/admin/training/jobs/ftjob-none/events", "")]
    [InlineData("GET", "/admin/models", "")]
    [InlineData("POST", "/admin/models/rollback", "")]
    [InlineData("GET", "/admin/audit", "")]
    [InlineData("GET", "/admin/captures", "")]
    public async Task Route_WhileTheDatabaseIsOutOfReach_Is503_AndTellsWhenToAskAgain(string method, string route, string body)
    {
        using TrainingServer server = new();
        await LoseDatabaseAsync(server);
        using HttpRequestMessage request = new(new HttpMethod(method), route);
        if (body.Length > 0)
        {
            request.Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        }

        using HttpResponseMessage response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);

        await IsUnavailableAsync(response);
        Assert.Contains(server.Log.Lines, line => line.Level == LogLevel.Error && line.Text.Contains("no such table", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Upload_WhileTheDatabaseIsOutOfReach_Is503_AndLeavesNothing()
    {
        using TrainingServer server = new();
        await LoseDatabaseAsync(server);
        using HttpResponseMessage response = await server.UploadAsync(TrainingServer.Row);

        await IsUnavailableAsync(response);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(server.DataDirectory, "files")));
    }

    [Fact]
    public async Task Refusal_OfADatabaseThatDoesNotListen_IsUnavailable()
    {
        using TemporaryFolder data = new("refused");
        using TrainingStore store = new(
            Options.Create(new TrainingOptions { Database = new DatabaseOptions { Provider = "postgresql", ConnectionString = "Host=127.0.0.1;Port=1;Username=a;Database=b" } }),
            Options.Create(new DataOptions { DataDirectory = data.Path }),
            TimeProvider.System);
        Exception error = (await Record.ExceptionAsync(() => new TrainingFiles(store).GetAsync("file-none")))!;

        Assert.Equal((503, "database_unavailable"), (ErrorWriter.AsRefusal(error)?.Status, ErrorWriter.AsRefusal(error)?.Body.Code));
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Upload_OntoAFullDisk_LeavesNothing_AndIsRefusedForItsReason(string provider)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "There is no /dev/full here.");
        using TrainingServer server = new(settings: await TestDatabase.CreateAsync(provider));
        Exception error = (await Record.ExceptionAsync(() => server.Services.GetRequiredService<TrainingFiles>().AddAsync(
            async path =>
            {
                File.CreateSymbolicLink(path, "/dev/full");
                await File.WriteAllTextAsync(path, TrainingServer.Row, CancellationToken.None);
                return "rows.jsonl";
            },
            "somebody",
            CancellationToken.None)))!;

        Assert.Equal((507, "disk_full"), (ErrorWriter.AsRefusal(error)?.Status, ErrorWriter.AsRefusal(error)?.Body.Code));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(server.DataDirectory, "files")));
    }

    [Fact]
    public async Task Route_WhoseDiskIsFull_Is507()
    {
        using TrainingServer server = new();
        string file = await server.FileAsync();
        server.Method.Refusal = new IOException("No space left on device", 28);
        using HttpResponseMessage response = await server.PostAsync("/v1/fine_tuning/jobs", $$"""{"model":"{{FakeEngine.ModelName}}","training_file":"{{file}}"}""");

        JsonNode error = await Json.ErrorAsync(response, 507);
        Assert.Equal(("server_error", "disk_full"), (error["type"]!.GetValue<string>(), error["code"]!.GetValue<string>()));
        Assert.Contains("full", error["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Contains(server.Log.Lines, line => line.Level == LogLevel.Error && line.Text.Contains("No space left on device", StringComparison.Ordinal));
    }

    /// <summary>Takes every table away, as from a file that is gone.</summary>
    private static Task LoseDatabaseAsync(TrainingServer server) => server.ExecuteAsync(
        "PRAGMA foreign_keys = OFF; " + string.Join(' ', Tables.Select(table => $"ALTER TABLE {table} RENAME TO lost_{table};")));

    private static async Task IsUnavailableAsync(HttpResponseMessage response)
    {
        JsonNode error = await Json.ErrorAsync(response, 503);
        Assert.Equal(("server_error", "database_unavailable"), (error["type"]!.GetValue<string>(), error["code"]!.GetValue<string>()));
        Assert.True(response.Headers.RetryAfter?.Delta > TimeSpan.Zero);
    }
}
