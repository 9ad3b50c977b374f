using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace ToolN1.TestSupport;

/// <summary>Runs a script of tests/node: other people's JavaScript code as a second opinion.</summary>
public static class NodeScript
{
    private static string Folder => Path.Combine(TestPaths.Root, "tests", "node");

    /// <summary>Why Hugging Face's scripts cannot run here, or null: for <c>Assert.SkipWhen</c>.</summary>
    public static string? Missing => MissingPackage("@huggingface");

    /// <summary>Why a script that needs a package cannot run here, or null.</summary>
    public static string? MissingPackage(string package) =>
        !Directory.Exists(Path.Combine(Folder, "node_modules", package)) ? "tests/node is not installed: npm ci --ignore-scripts --prefix tests/node"
        : !OnPath("node") ? "node is not installed"
        : null;

    /// <summary>Runs a script with a JSON value on its standard input and reads the one that it writes.</summary>
    public static async Task<JsonElement> RunAsync(string script, object input, CancellationToken cancellationToken)
    {
        ProcessStartInfo start = new("node", [Path.Combine(Folder, script)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(false),
            StandardOutputEncoding = Encoding.UTF8,
            WorkingDirectory = Folder,
        };
        using Process node = Process.Start(start)!;
        Task<string> output = node.StandardOutput.ReadToEndAsync(cancellationToken);
        Task<string> errors = node.StandardError.ReadToEndAsync(cancellationToken);
        await node.StandardInput.WriteAsync(JsonSerializer.Serialize(input));
        node.StandardInput.Close();
        await node.WaitForExitAsync(cancellationToken);
        return node.ExitCode == 0
            ? JsonSerializer.Deserialize<JsonElement>(await output)
            : throw new InvalidOperationException($"{script} failed: {await errors}");
    }

    private static bool OnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));
}
