using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using ToolN1.TestSupport;

namespace ToolN1.EndToEnd.Tests;

/// <summary>Captures of the real server process, which gets killed.</summary>
public sealed class CaptureProcessTests : IDisposable
{
    private const string Key = "admin-key";
    private readonly string _folder = Directory.CreateTempSubdirectory("tooln1-captures-").FullName;

    [Fact]
    public async Task KilledServer_LosesAtMostWhatWasNotWritten_AndGoesOn()
    {
        string model = TinyCheckpoint.Write(Path.Combine(_folder, TinyServer.Model));
        int before;
        await using (ServerProcess server = await StartAsync(model))
        {
            for (int i = 0; i < 5; i++)
            {
                await SendAsync(server, i);
            }

            for (int i = 0; await CountAsync(server) < 5; i++)
            {
                Assert.True(i < 3000);
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }

            // Requests in flight, captures in the queue or half written: nobody knows.
            Task[] more = [.. Enumerable.Range(5, 6).Select(i => SendAsync(server, i))];
            await Task.WhenAny(more);
            before = await CountAsync(server);
            await server.KillAsync();
            await Assert.ThrowsAnyAsync<Exception>(() => Task.WhenAll([.. more, SendAsync(server, 11)]));
        }

        await using ServerProcess next = await StartAsync(model);
        JsonArray kept = (await GetAsync(next, "/admin/captures?limit=100"))["data"]!.AsArray();
        Assert.InRange(kept.Count, before, 11);
        Assert.Equal(["say 0", "say 1", "say 2", "say 3", "say 4"], kept.Select(capture => capture!["request"]!.GetValue<string>()).Order(StringComparer.Ordinal).Where(text => text.Length == 5 && text[4] < '5'));
        foreach (JsonNode? capture in kept)
        {
            Assert.NotEmpty((await GetAsync(next, $"/admin/captures/{capture!["id"]!.GetValue<string>()}"))["messages"]!.AsArray());
        }

        await SendAsync(next, 12);
        for (int i = 0; await CountAsync(next) < kept.Count + 1; i++)
        {
            Assert.True(i < 3000);
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task<ServerProcess> StartAsync(string model)
    {
        ServerProcess server = await ServerProcess.StartAsync(
            model, [("ToolN1__Auth__AdminKeys__0", Key), ("ToolN1__DataDirectory", Path.Combine(_folder, "data")), ("ToolN1__Captures__Enabled", "true")]);
        server.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        return server;
    }

    private static async Task SendAsync(ServerProcess server, int number)
    {
        using HttpResponseMessage response = await server.Http.PostAsync(
            "/v1/chat/completions",
            new StringContent($$"""{"model":"{{TinyServer.Model}}","messages":[{"role":"user","content":"say {{number}}"}],"max_tokens":8}""", Encoding.UTF8, "application/json"),
            TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, server.Output);
    }

    private static async Task<int> CountAsync(ServerProcess server) => (await GetAsync(server, "/admin/captures?limit=100"))["data"]!.AsArray().Count;

    private static async Task<JsonNode> GetAsync(ServerProcess server, string route) =>
        JsonNode.Parse(await server.Http.GetStringAsync(route, TestContext.Current.CancellationToken))!;
}
