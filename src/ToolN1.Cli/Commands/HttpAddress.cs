using System.CommandLine.Parsing;

namespace ToolN1.Cli.Commands;

/// <summary>Addresses of servers on the command line.</summary>
internal static class HttpAddress
{
    /// <summary>Reads an option's value as an http or https address; anything else is told as the option's error.</summary>
    public static Uri? Parse(ArgumentResult result)
    {
        if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out Uri? url) && url.Scheme is ("http" or "https"))
        {
            return url;
        }

        result.AddError($"--base-url '{result.Tokens[0].Value}' is not an http or https address.");
        return null;
    }
}
