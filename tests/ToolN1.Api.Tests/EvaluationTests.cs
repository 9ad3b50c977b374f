using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using ToolN1.Api.Tests.Support;
using ToolN1.Engine;

namespace ToolN1.Api.Tests;

public sealed class EvaluationTests : IDisposable
{
    private const string Route = "/admin/evaluations";

    private readonly BenchmarkFolder _data = new();

    public void Dispose() => _data.Dispose();

    private ApiServer Start(Action<FakeEngine> configure, TimeProvider? time = null)
    {
        ApiServer server = new(configure, services => services.Replace(ServiceDescriptor.Singleton(time ?? TimeProvider.System)), ("ToolN1:Auth:AdminKeys:0", "admin"), ("ToolN1:DataDirectory", _data.Path));
        server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "admin");
        return server;
    }

    /// <summary>The number of the question that a request asks; -1 for the readiness probe.</summary>
    private static int Number(GenerationRequest request) =>
        int.TryParse(request.RequestId[(request.RequestId.LastIndexOf('_') + 1)..], System.Globalization.CultureInfo.InvariantCulture, out int number) ? number : -1;

    private static async Task<JsonNode> GetAsync(ApiServer server, string route) =>
        JsonNode.Parse(await server.Client.GetStringAsync(route, TestContext.Current.CancellationToken))!;

    private static Task<string> EventsAsync(ApiServer server, string id) => server.Client.GetStringAsync($"{Route}/{id}/events", TestContext.Current.CancellationToken);

    private static async Task<string> CreateAsync(ApiServer server, string request)
    {
        JsonNode created = await server.PostJsonAsync(Route, JsonNode.Parse(request)!);
        Assert.True(created["id"] is not null, created.ToJsonString());
        return created["id"]!.GetValue<string>();
    }

    [Fact]
    public async Task Evaluation_RunsBehindLiveTraffic_AndLeavesFiguresEventsAndFiles()
    {
        using ApiServer server = Start(engine => engine.Answer = request => BenchmarkFolder.Right(Number(request) % 4 == 3 ? -1 : Number(request)));

        string id = await CreateAsync(server, """{"benchmark": "bfcl", "concurrency": 4}""");
        IReadOnlyList<JsonNode> events = ApiServer.Events(await EventsAsync(server, id));
        JsonNode done = await GetAsync(server, $"{Route}/{id}");

        Assert.Equal("succeeded", done["status"]!.GetValue<string>());
        Assert.Equal((12, 12, 9, 0), (Count(done, "total"), Count(done, "answered"), Count(done, "correct"), Count(done, "failed")));
        Assert.Equal(FakeEngine.ModelName, done["model"]!.GetValue<string>());
        Assert.All(server.Engine.Requests, request => Assert.Equal(RequestPriority.Background, request.Priority));
        Assert.Equal("Queued.", events[0]["message"]!.GetValue<string>());
        Assert.Equal("9 of 12 right.", events[^1]["message"]!.GetValue<string>());
        Assert.Equal(id, Assert.Single((await GetAsync(server, Route))["data"]!.AsArray())!["id"]!.GetValue<string>());
        Assert.Equal(12, (await server.Client.GetStringAsync($"{Route}/{id}/files/results.jsonl", TestContext.Current.CancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal(0.75, (await GetAsync(server, $"{Route}/{id}/files/summary.json"))["total"]!["accuracy"]!.GetValue<double>());
        Assert.Contains("<svg", await server.Client.GetStringAsync($"{Route}/{id}/files/report.html", TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Evaluation_ServerStopsInTheMiddle_GoesOnAfterwardsAndAsksNothingTwice()
    {
        TaskCompletionSource half = new(TaskCreationOptions.RunContinuationsAsynchronously);
        string id;
        int answered;
        using (ApiServer first = Start(engine =>
        {
            engine.Answer = request => BenchmarkFolder.Right(Number(request));
            engine.BeforeToken = async (request, _, cancellation) =>
            {
                if (Number(request) >= 6)
                {
                    half.TrySetResult();
                    await Task.Delay(Timeout.Infinite, cancellation);
                }
            };
        }))
        {
            id = await CreateAsync(first, """{"benchmark": "bfcl", "concurrency": 2}""");
            await half.Task;
            while ((answered = File.ReadLines(Path.Combine(_data.Path, "evaluations", id, "results.jsonl")).Count()) < 6)
            {
                await Task.Delay(10, TestContext.Current.CancellationToken);
            }
        }

        using ApiServer second = Start(engine => engine.Answer = request => BenchmarkFolder.Right(Number(request)));
        await EventsAsync(second, id);
        JsonNode done = await GetAsync(second, $"{Route}/{id}");

        Assert.Equal(("succeeded", 12), (done["status"]!.GetValue<string>(), Count(done, "correct")));
        Assert.Equal(6, answered);
        Assert.Equal(Enumerable.Range(6, 6), second.Engine.Requests.Select(Number).Order());
    }

    [Fact]
    public async Task QueuedEvaluations_OfAnEngineOutOfOrder_WaitForTheNextStart_AndCanBeCancelled()
    {
        const string Waiting = "The engine is out of order; the evaluation waits";
        string running, queued, cancelled;
        using (ApiServer first = Start(engine => engine.BeforeToken = (request, _, _) =>
        {
            if (Number(request) < 0)
            {
                return Task.CompletedTask;
            }

            engine.Healthy = false;
            throw new EngineFaultException("The engine is out of order.");
        }))
        {
            running = await CreateAsync(first, """{"benchmark": "bfcl"}""");
            await EventsAsync(first, running);
            queued = await CreateAsync(first, """{"benchmark": "bfcl"}""");
            cancelled = await CreateAsync(first, """{"benchmark": "bfcl"}""");
            using (CancellationTokenSource minute = new(TimeSpan.FromMinutes(1)))
            {
                while (!File.ReadAllText(Path.Combine(_data.Path, "evaluations", cancelled, "events.jsonl")).Contains(Waiting, StringComparison.Ordinal))
                {
                    await Task.Delay(10, minute.Token);
                }
            }

            await first.PostJsonAsync($"{Route}/{cancelled}/cancel", new JsonObject());
            Assert.Equal("failed", (await GetAsync(first, $"{Route}/{running}"))["status"]!.GetValue<string>());
            Assert.Equal("queued", (await GetAsync(first, $"{Route}/{queued}"))["status"]!.GetValue<string>());
        }

        using ApiServer second = Start(engine => engine.Answer = request => BenchmarkFolder.Right(Number(request)));
        Assert.Contains(Waiting, await EventsAsync(second, queued), StringComparison.Ordinal);
        Assert.Equal("succeeded", (await GetAsync(second, $"{Route}/{queued}"))["status"]!.GetValue<string>());
        Assert.Equal("cancelled", (await GetAsync(second, $"{Route}/{cancelled}"))["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task Cancel_RunningEvaluation_EndsItAndLetsTheNextRun()
    {
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using ApiServer server = Start(engine =>
        {
            engine.Answer = request => BenchmarkFolder.Right(Number(request));
            engine.BeforeToken = async (request, _, cancellation) =>
            {
                if (request.MaxNewTokens == 64)
                {
                    asked.TrySetResult();
                    await Task.Delay(Timeout.Infinite, cancellation);
                }
            };
        });
        string first = await CreateAsync(server, """{"benchmark": "bfcl", "max_tokens": 64}""");
        string second = await CreateAsync(server, """{"benchmark": "bfcl", "limit": 2}""");
        string third = await CreateAsync(server, """{"benchmark": "bfcl"}""");
        await asked.Task;

        JsonNode queued = await server.PostJsonAsync($"{Route}/{third}/cancel", new JsonObject());
        JsonNode running = await server.PostJsonAsync($"{Route}/{first}/cancel", new JsonObject());
        await EventsAsync(server, second);

        Assert.Equal("cancelled", queued["status"]!.GetValue<string>());
        Assert.Equal("cancelled", running["status"]!.GetValue<string>());
        Assert.Equal("succeeded", (await GetAsync(server, $"{Route}/{second}"))["status"]!.GetValue<string>());
        Assert.Equal(0, server.Engine.Active);
    }

    [Fact]
    public async Task Events_ServerIsToldToStop_EndWithoutDone()
    {
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using ApiServer server = Start(engine => engine.BeforeToken = async (request, _, _) =>
        {
            if (Number(request) >= 0)
            {
                // What runs at a stop may take its time: whoever only watches must not wait for it.
                asked.TrySetResult();
                await goOn.Task;
            }
        });
        string id = await CreateAsync(server, """{"benchmark": "bfcl"}""");
        using HttpResponseMessage response = await server.Client.GetAsync($"{Route}/{id}/events", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        await asked.Task;

        server.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        string events = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        goOn.SetResult();

        Assert.Contains("Queued.", events, StringComparison.Ordinal);
        Assert.DoesNotContain("[DONE]", events, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Events_OfARunningEvaluation_SilenceIsFilled()
    {
        TaskCompletionSource goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using ApiServer server = Start(engine => engine.BeforeToken = (request, _, _) => Number(request) >= 0 ? goOn.Task : Task.CompletedTask, new FastTime());
        string id = await CreateAsync(server, """{"benchmark": "bfcl", "limit": 1}""");
        using HttpResponseMessage response = await server.Client.GetAsync($"{Route}/{id}/events", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        using StreamReader reader = new(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        string line;
        do
        {
            line = (await reader.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken))!;
        }
        while (line != ": alive");
        goOn.SetResult();

        Assert.Contains("data: [DONE]", await reader.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Evaluation_FullQueue_WaitsInsteadOfFailing()
    {
        using ApiServer server = Start(engine =>
        {
            engine.Answer = request => BenchmarkFolder.Right(Number(request));
            engine.Capacity = 1;
            engine.RetryAfter = TimeSpan.FromMilliseconds(5);
        });

        string id = await CreateAsync(server, """{"benchmark": "bfcl", "concurrency": 3}""");
        await EventsAsync(server, id);

        Assert.Equal(12, Count(await GetAsync(server, $"{Route}/{id}"), "correct"));
    }

    [Theory]
    [InlineData("""{"benchmark": "mmlu"}""", "benchmark")]
    [InlineData("""{"benchmark": "bfcl", "data": "/nowhere"}""", "data")]
    [InlineData("""{"benchmark": "acebench"}""", "data")]
    [InlineData("""{"benchmark": "bfcl", "categories": ["simple", "odd"]}""", "categories[1]")]
    [InlineData("""{"benchmark": "bfcl", "limit": 0}""", "limit")]
    [InlineData("""{"benchmark": "bfcl", "temperature": 1}""", "temperature")]
    public async Task Create_WhatCannotRun_NamesTheField(string request, string param)
    {
        using ApiServer server = Start(_ => { });

        using HttpResponseMessage response = await server.PostAsync(Route, request);

        Assert.Equal(param, (await Json.ErrorAsync(response, 400))["param"]!.GetValue<string>());
        Assert.False(Directory.Exists(Path.Combine(_data.Path, "evaluations")));
    }

    [Theory]
    [InlineData("/admin/evaluations/eval_none")]
    [InlineData("/admin/evaluations/..%2f..")]
    [InlineData("/admin/evaluations/eval_none/events")]
    [InlineData("/admin/evaluations/eval_none/files/results.jsonl")]
    public async Task Get_UnknownEvaluation_Is404(string route)
    {
        using ApiServer server = Start(_ => { });

        using HttpResponseMessage response = await server.Client.GetAsync(route, TestContext.Current.CancellationToken);

        await Json.ErrorAsync(response, 404);
    }

    [Fact]
    public async Task Files_OtherThanTheRunsOwn_AreNotServed()
    {
        using ApiServer server = Start(engine => engine.Answer = request => BenchmarkFolder.Right(Number(request)));
        string id = await CreateAsync(server, """{"benchmark": "bfcl", "limit": 1}""");
        await EventsAsync(server, id);

        foreach (string name in (string[])["job.json", "..%2fjob.json", "summary.json.tmp"])
        {
            using HttpResponseMessage response = await server.Client.GetAsync($"{Route}/{id}/files/{name}", TestContext.Current.CancellationToken);
            await Json.ErrorAsync(response, 404);
        }
    }

    private static int Count(JsonNode evaluation, string field) => evaluation["progress"]![field]!.GetValue<int>();
}
