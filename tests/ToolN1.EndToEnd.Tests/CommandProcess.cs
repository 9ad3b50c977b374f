using System.Diagnostics;
using System.Globalization;
using System.Text;
using ToolN1.TestSupport;

namespace ToolN1.EndToEnd.Tests;

/// <summary>The real <c>tooln1</c> as its own process; killed when the test ends, however it ends.</summary>
internal sealed class CommandProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly List<(string Text, TaskCompletionSource Seen)> _awaited = [];

    private CommandProcess(Process process) => _process = process;

    /// <summary>The configuration that these tests were built in, and the programs with them.</summary>
    public static string Configuration { get; } = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

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

    /// <summary>Starts it.</summary>
    public static CommandProcess Start(params string[] arguments) => Start([], arguments);

    /// <summary>Starts it with more environment variables than this process has.</summary>
    public static CommandProcess Start(IEnumerable<(string Name, string Value)> environment, string[] arguments)
    {
        string program = Path.Combine(TestPaths.Root, "src", "ToolN1.Cli", "bin", Configuration, "net10.0", "tooln1.dll");
        return StartDotnet(environment, [program, .. arguments]);
    }

    /// <summary>Starts <c>dotnet</c> with arguments of its own.</summary>
    public static CommandProcess StartDotnet(IEnumerable<(string Name, string Value)> environment, string[] arguments)
    {
        ProcessStartInfo start = new("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() };
        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
        {
            // A build that runs the tests tells its children where it has its own parts; ours is another one.
            start.Environment.Remove(name);
        }

        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        CommandProcess command = new(new Process { StartInfo = start });
        command._process.OutputDataReceived += (_, line) => command.Take(line.Data);
        command._process.ErrorDataReceived += (_, line) => command.Take(line.Data);
        command._process.Start();
        command._process.BeginOutputReadLine();
        command._process.BeginErrorReadLine();
        return command;
    }

    /// <summary>Runs it to its end.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(params string[] arguments)
    {
        await using CommandProcess command = Start(arguments);
        return (await command.ExitAsync(), command.Output);
    }

    /// <summary>Waits until it has written a text, or has ended.</summary>
    public async Task WaitForAsync(string text)
    {
        TaskCompletionSource seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_output)
        {
            if (_output.ToString().Contains(text, StringComparison.Ordinal))
            {
                return;
            }

            _awaited.Add((text, seen));
        }

        await Task.WhenAny(seen.Task, _process.WaitForExitAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Sends a signal by its name; nothing happens when the process has ended.</summary>
    public async Task SignalAsync(string name)
    {
        using Process kill = Process.Start("kill", ["-" + name, _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Ends it at once, as a power cut does.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Waits for its end.</summary>
    /// <exception cref="TimeoutException">It does not end; a shell that starts tests in the background may have them ignore Ctrl-C.</exception>
    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience, TestContext.Current.CancellationToken);
        return _process.ExitCode;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
    }

    private void Take(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_output)
        {
            _output.AppendLine(line);
            foreach ((_, TaskCompletionSource seen) in _awaited.Where(item => line.Contains(item.Text, StringComparison.Ordinal)))
            {
                seen.TrySetResult();
            }
        }
    }
}
