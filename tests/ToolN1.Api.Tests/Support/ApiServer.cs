using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ToolN1.Engine;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Execution;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Tokenization;
using ToolN1.TestSupport;

namespace ToolN1.Api.Tests.Support;

/// <summary>The whole server in memory over a <see cref="FakeEngine"/>: real routing, binding, rendering, parsing and streaming.</summary>
internal sealed class ApiServer : WebApplicationFactory<Program>
{
    private static readonly Lazy<Tokenizer> SharedTokenizer =
        new(() => Tokenizer.Load(TinyCheckpoint.WriteTokenizer(Directory.CreateTempSubdirectory("tooln1-api-").FullName)));

    private readonly Dictionary<string, string> _settings;
    private readonly Action<IServiceCollection> _services;
    private readonly string _temporary = Directory.CreateTempSubdirectory("tooln1-data-").FullName;

    public ApiServer(params (string Key, string Value)[] settings)
        : this(_ => { }, settings)
    {
    }

    public ApiServer(Action<FakeEngine> configure, params (string Key, string Value)[] settings)
        : this(configure, _ => { }, settings)
    {
    }

    public ApiServer(Action<FakeEngine> configure, Action<IServiceCollection> services, params (string Key, string Value)[] settings)
    {
        _services = services;
        _settings = settings.ToDictionary(setting => setting.Key, setting => setting.Value);
        Engine = new FakeEngine(Tokenizer);
        configure(Engine);
        Host = new FakeModelHost(Engine.Model.WeightVersion);
        Client = CreateClient();
    }

    public static Tokenizer Tokenizer => SharedTokenizer.Value;

    public FakeEngine Engine { get; }

    public FakeModelHost Host { get; }

    /// <summary>Jobs and files, where there is an admin key; a folder of its own unless the settings name one.</summary>
    public string DataDirectory => _settings.GetValueOrDefault("ToolN1:DataDirectory", _temporary);

    public HttpClient Client { get; }

    /// <summary>All that was logged, of the levels that the settings let through.</summary>
    public LogCapture Log { get; } = new();

    /// <summary>Posts JSON text.</summary>
    public Task<HttpResponseMessage> PostAsync(string route, string json) =>
        Client.PostAsync(route, new StringContent(json, System.Text.Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);

    /// <summary>Posts JSON and returns the answer's JSON.</summary>
    public async Task<JsonNode> PostJsonAsync(string route, JsonNode body)
    {
        using HttpResponseMessage response = await PostAsync(route, body.ToJsonString());
        return (await response.Content.ReadFromJsonAsync<JsonNode>(TestContext.Current.CancellationToken))!;
    }

    /// <summary>The JSON of every event of a streamed answer; the last must be [DONE] unless an error came.</summary>
    public async Task<IReadOnlyList<JsonNode>> StreamAsync(string route, JsonNode body)
    {
        body["stream"] = true;
        using HttpResponseMessage response = await PostAsync(route, body.ToJsonString());
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        return Events(text);
    }

    public static IReadOnlyList<JsonNode> Events(string text)
    {
        string[] events = text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.All(events, line => Assert.StartsWith("data: ", line));
        List<JsonNode> chunks = [.. events.Where(line => line != "data: [DONE]").Select(line => JsonNode.Parse(line["data: ".Length..])!)];
        bool failed = chunks.Any(chunk => chunk["error"] is not null);
        Assert.Equal(!failed, events[^1] == "data: [DONE]");
        return chunks;
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing && Directory.Exists(_temporary))
        {
            Directory.Delete(_temporary, recursive: true);
        }
    }

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseSetting("ToolN1:DataDirectory", _temporary);
        foreach ((string key, string value) in _settings)
        {
            builder.UseSetting(key, value);
        }

        builder.ConfigureTestServices(services =>
        {
            // The engine's host would load a model.
            ServiceDescriptor[] loaders = [.. services.Where(service => service.ServiceType == typeof(IHostedService)
                && service.ImplementationFactory?.Method.DeclaringType?.Assembly == typeof(IInferenceEngine).Assembly)];
            Assert.Single(loaders);
            services.Remove(loaders[0]);
            IChatFormat format = ChatFormats.Create(_settings.GetValueOrDefault("ToolN1:Model:ChatFormat", "tool-n1"), ".", Tokenizer);
            services.AddSingleton<ILoggerProvider>(Log);
            services.Replace(ServiceDescriptor.Singleton<IInferenceEngine>(Engine));
            services.Replace(ServiceDescriptor.Singleton<IModelHost>(Host));
            services.Replace(ServiceDescriptor.Singleton(Tokenizer));
            services.Replace(ServiceDescriptor.Singleton(format));
            services.Replace(ServiceDescriptor.Singleton(new ServedModel(Engine.Model, Tokenizer, format, ".", DateTimeOffset.UnixEpoch.AddSeconds(1234)) { Device = "cpu", DType = "float32" }));
            _services(services);
        });
    }
}
