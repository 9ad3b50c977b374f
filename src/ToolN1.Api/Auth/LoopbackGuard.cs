using System.Net;

namespace ToolN1.Api.Auth;

/// <summary>
/// What "this machine only" means while no key is set: listening addresses, callers and the Host header must be
/// loopback. The last keeps a web page from reaching the server through a name that it makes point here (DNS rebinding).
/// </summary>
internal static class LoopbackGuard
{
    /// <summary>The address that the server listens on when nothing else is said.</summary>
    public const string DefaultUrl = "http://127.0.0.1:8080";

    /// <summary>Throws when the configuration would listen beyond this machine without a key.</summary>
    /// <exception cref="StartupException">Names the address and the option to set.</exception>
    public static void Require(IConfiguration configuration, KeyRing keys)
    {
        string? open = keys.HasKeys ? null : ListeningUrls(configuration).FirstOrDefault(url => !IsLoopbackUrl(url));
        if (open is not null)
        {
            throw new StartupException(
                $"Refusing to listen on {open} without a key: anybody who reaches the address could use the model. "
                    + $"Set ToolN1:Auth:ApiKeys (for example ToolN1__Auth__ApiKeys__0=...), or listen on {DefaultUrl}.");
        }
    }

    /// <summary>Whether a caller's address is this machine; null is a transport without addresses, such as a Unix socket.</summary>
    public static bool IsLoopback(IPAddress? address) => address is null || IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);

    /// <summary>Whether a host name can only mean this machine.</summary>
    public static bool IsLoopbackHost(string host)
    {
        string name = host.Trim('[', ']');
        return name.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(name, out IPAddress? address) && IsLoopback(address));
    }

    /// <summary>Every URL that the configuration makes Kestrel listen on.</summary>
    public static IEnumerable<string> ListeningUrls(IConfiguration configuration)
    {
        string[] endpoints = [.. configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(endpoint => endpoint["Url"] ?? "")];
        if (endpoints.Length > 0)
        {
            return endpoints;
        }

        string[] urls = Split(configuration[WebHostDefaults.ServerUrlsKey]);
        return urls.Length > 0
            ? urls
            :
            [
                .. Split(configuration[WebHostDefaults.HttpPortsKey]).Select(port => "http://*:" + port),
                .. Split(configuration[WebHostDefaults.HttpsPortsKey]).Select(port => "https://*:" + port),
            ];
    }

    private static string[] Split(string? list) => list?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    private static bool IsLoopbackUrl(string url)
    {
        try
        {
            BindingAddress address = BindingAddress.Parse(url);
            return address.IsUnixPipe || address.IsNamedPipe || IsLoopbackHost(address.Host);
        }
        catch (FormatException)
        {
            // Kestrel will say what is wrong with it; until then it is not known to be safe.
            return false;
        }
    }
}
