using System.ClientModel;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using OpenAI;
using ToolN1.TestSupport;

namespace ToolN1.EndToEnd.Tests;

/// <summary>The real server as its own process on a free port; killed when the test ends, however it ends.</summary>
internal sealed partial class ServerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly TaskCompletionSource<Uri> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServerProcess(Process process) => _process = process;

    /// <summary>Where it listens.</summary>
    public Uri Address { get; private set; } = new("http://127.0.0.1");

    /// <summary>Speaks to it.</summary>
    public HttpClient Http { get; } = new() { Timeout = TimeSpan.FromMinutes(5) };

    /// <summary>All it wrote so far.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    /// <summary>Starts it and waits until it is ready.</summary>
    public static async Task<ServerProcess> StartAsync(string? model, IEnumerable<(string Name, string Value)>? environment = null)
    {
        ServerProcess server = Launch(model, "http://127.0.0.1:0", environment ?? []);
        try
        {
            Task exit = server._process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Task first = await Task.WhenAny(server._address.Task, exit);
            Assert.True(first == server._address.Task, "The server ended before it listened:\n" + server.Output);
            server.Address = await server._address.Task;
            server.Http.BaseAddress = server.Address;
            while (true)
            {
                using HttpResponseMessage ready = await server.Http.GetAsync("/health/ready", TestContext.Current.CancellationToken);
                if (ready.StatusCode == HttpStatusCode.OK)
                {
                    return server;
                }

                await Task.Delay(50, TestContext.Current.CancellationToken);
            }
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it and waits until it ends by itself.</summary>
    public static async Task<(int ExitCode, string Output)> RunToEndAsync(string? model, string url)
    {
        await using ServerProcess server = Launch(model, url, []);
        await server._process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (server._process.ExitCode, server.Output);
    }

    /// <summary>Starts it on a port of its own, which is tried again and again until it has ended by itself.</summary>
    /// <returns>How it ended, and whether the port was ever open.</returns>
    public static async Task<(int ExitCode, string Output, bool WasOpen)> WatchPortToEndAsync(string model)
    {
        int port;
        using (TcpListener free = new(IPAddress.Loopback, 0))
        {
            free.Start();
            port = ((IPEndPoint)free.LocalEndpoint).Port;
        }

        await using ServerProcess server = Launch(model, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"), []);
        Task ended = server._process.WaitForExitAsync(TestContext.Current.CancellationToken);
        bool wasOpen = false;
        while (!ended.IsCompleted)
        {
            using TcpClient client = new();
            try
            {
                await client.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
                wasOpen = true;
            }
            catch (SocketException)
            {
                // As it should be.
            }

            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        await ended;
        return (server._process.ExitCode, server.Output, wasOpen);
    }

    /// <summary>The official client, pointed at it.</summary>
    public OpenAIClient Client(string key = "none") => new(new ApiKeyCredential(key), new OpenAIClientOptions { Endpoint = new Uri(Address, "/v1") });

    /// <summary>Asks it to stop, as a container's runtime does.</summary>
    public async Task TerminateAsync()
    {
        using Process kill = Process.Start("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Ends it as a power cut would: it gets no chance to do anything.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Memory that it holds now, in MB.</summary>
    public double ResidentMegabytes()
    {
        _process.Refresh();
        return _process.WorkingSet64 / 1e6;
    }

    /// <summary>Waits for its end.</summary>
    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return _process.ExitCode;
    }

    /// <summary>The value of a metric without labels of its own.</summary>
    public async Task<double> MetricAsync(string name, string key = "none")
    {
        using HttpRequestMessage request = new(HttpMethod.Get, "/metrics");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using HttpResponseMessage response = await Http.SendAsync(request, TestContext.Current.CancellationToken);
        string metrics = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Match match = Regex.Match(metrics, "^" + Regex.Escape(name) + @"(?:\{[^}]*\})? ([0-9.]+)", RegexOptions.Multiline);
        Assert.True(match.Success, metrics);
        return double.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
    }

    private static ServerProcess Launch(string? model, string url, IEnumerable<(string Name, string Value)> environment)
    {
        string configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        string program = Path.Combine(TestPaths.Root, "src", "ToolN1.Api", "bin", configuration, "net10.0", "ToolN1.Api.dll");
        // Another working directory than the program's: its files must be found from anywhere.
        ProcessStartInfo start = new("dotnet", [program, "--urls", url])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        if (model is not null)
        {
            start.ArgumentList.Add("--ToolN1:Model:Path=" + model);
        }

        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        ServerProcess server = new(new Process { StartInfo = start });
        server._process.OutputDataReceived += (_, line) => server.Take(line.Data);
        server._process.ErrorDataReceived += (_, line) => server.Take(line.Data);
        server._process.Start();
        server._process.BeginOutputReadLine();
        server._process.BeginErrorReadLine();
        return server;
    }

    [GeneratedRegex(@"Now listening on: (http://\S+)")]
    private static partial Regex Listening();

    private void Take(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_output)
        {
            _output.AppendLine(line);
        }

        if (Listening().Match(line) is { Success: true } match)
        {
            _address.TrySetResult(new Uri(match.Groups[1].Value));
        }
    }
}
