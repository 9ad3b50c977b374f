using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using ToolN1.Api.Tests.Support;
using ToolN1.Engine.Hosting;
using ToolN1.TestSupport;
using ToolN1.Training.Jobs.Methods;

namespace ToolN1.Api.Tests.FineTuning;

/// <summary>A server with an admin key whose jobs a <see cref="ScriptedMethod"/> runs.</summary>
internal sealed class TrainingServer : IDisposable
{
    public const string Key = "admin-key";
    public const string Row = """{"tools": [{"name": "f", "parameters": {"type": "object"}}], "messages": [{"role": "user", "content": "go"}], "answer": [{"name": "f", "arguments": {"a": 1}}], "think": "f it is"}""";

    private readonly ApiServer _server;

    private readonly string? _model;

    private TimeProvider? Time { get; }

    public TrainingServer(Action<FakeEngine>? configure = null, string? dataDirectory = null, params (string Key, string Value)[] settings)
        : this(configure, dataDirectory, model: null, time: null, settings)
    {
    }

    private TrainingServer(Action<FakeEngine>? configure, string? dataDirectory, string? model, TimeProvider? time, params (string Key, string Value)[] settings)
    {
        _model = model;
        Time = time;
        _server = new ApiServer(
            configure ?? (_ => { }),
            services =>
            {
                if (Time is not null)
                {
                    services.Replace(ServiceDescriptor.Singleton<TimeProvider>(Time));
                }

                if (model is null)
                {
                    services.RemoveAll<ITrainingMethod>();
                    services.AddSingleton<ITrainingMethod>(Method);
                }
                else
                {
                    ServedModel served = (ServedModel)services.Last(service => service.ServiceType == typeof(ServedModel)).ImplementationInstance!;
                    services.Replace(ServiceDescriptor.Singleton(served with { Folder = model }));
                }
            },
            [("ToolN1:Auth:AdminKeys:0", Key), ("ToolN1:Auth:ApiKeys:0", "api-key"), .. dataDirectory is null ? [] : new[] { ("ToolN1:DataDirectory", dataDirectory) }, .. settings]);
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
    }

    /// <summary>A server with the real methods over a tiny model's files; its fake engine trains nothing.</summary>
    public static TrainingServer WithReinforcement(params (string Key, string Value)[] settings) =>
        new(null, null, TinyCheckpoint.Write(Directory.CreateTempSubdirectory("tooln1-methods-").FullName), null, settings);

    /// <summary>A server with another clock.</summary>
    public static TrainingServer WithTime(TimeProvider time) => new(null, null, null, time);

    public ScriptedMethod Method { get; } = new();

    public HttpClient Client => _server.Client;

    public FakeEngine Engine => _server.Engine;

    public FakeModelHost Host => _server.Host;

    public string DataDirectory => _server.DataDirectory;

    public LogCapture Log => _server.Log;

    public IServiceProvider Services => _server.Services;

    public Task<HttpResponseMessage> PostAsync(string route, string json = "") =>
        Client.PostAsync(route, json.Length == 0 ? null : new StringContent(json, Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);

    public async Task<JsonNode> GetAsync(string route)
    {
        using HttpResponseMessage response = await Client.GetAsync(route, TestContext.Current.CancellationToken);
        return await OkAsync(response);
    }

    public async Task<JsonNode> PostOkAsync(string route, string json = "")
    {
        using HttpResponseMessage response = await PostAsync(route, json);
        return await OkAsync(response);
    }

    public async Task<HttpResponseMessage> UploadAsync(string content, string purpose = "fine-tune", string field = "file", string more = "")
    {
        using MultipartFormDataContent form = new();
        form.Add(new ByteArrayContent(Encoding.UTF8.GetBytes(content)), field, "rows.jsonl");
        form.Add(new StringContent(purpose), "purpose");
        if (more.Length > 0)
        {
            form.Add(new StringContent("1"), more);
        }

        return await Client.PostAsync("/v1/files", form, TestContext.Current.CancellationToken);
    }

    /// <summary>Uploads rows; the file's id.</summary>
    public async Task<string> FileAsync(string content = Row)
    {
        using HttpResponseMessage response = await UploadAsync(content);
        return (await OkAsync(response))["id"]!.GetValue<string>();
    }

    /// <summary>Queues a job; its id.</summary>
    public async Task<string> JobAsync(string file, string more = "") =>
        (await PostOkAsync("/v1/fine_tuning/jobs", $$"""{"model":"{{FakeEngine.ModelName}}","training_file":"{{file}}"{{more}}}"""))["id"]!.GetValue<string>();

    /// <summary>Waits until a job has a status.</summary>
    public async Task<JsonNode> UntilAsync(string job, string status)
    {
        for (int i = 0; ; i++)
        {
            JsonNode now = await GetAsync("/v1/fine_tuning/jobs/" + job);
            if (now["status"]!.GetValue<string>() == status)
            {
                return now;
            }

            Assert.True(i < 3000 && now["status"]!.GetValue<string>() is "queued" or "running" or "paused", now.ToJsonString());
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Waits until a job's events tell something.</summary>
    public async Task UntilToldAsync(string job, string message)
    {
        for (int i = 0; !(await MessagesAsync(job)).Contains(message); i++)
        {
            Assert.True(i < 3000, string.Join('\n', await MessagesAsync(job)));
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    public async Task<string[]> MessagesAsync(string job) =>
        [.. (await GetAsync($"/v1/fine_tuning/jobs/{job}/events?limit=1000"))["data"]!.AsArray().Select(item => item!["message"]!.GetValue<string>())];

    /// <summary>Runs SQL on the server's SQLite database, beside the server.</summary>
    public Task ExecuteAsync(string sql) => ServerDatabase.ExecuteAsync(DataDirectory, sql);

    public void Dispose()
    {
        _server.Dispose();
        if (_model is not null)
        {
            Directory.Delete(_model, recursive: true);
        }
    }

    private static async Task<JsonNode> OkAsync(HttpResponseMessage response)
    {
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }
}
