namespace ToolN1.Api.Auth;

/// <summary>Who may use the server (section <c>ToolN1:Auth</c>). Without any key it serves this machine only.</summary>
public sealed class AuthOptions
{
    /// <summary>Where the options stand.</summary>
    public const string Section = "ToolN1:Auth";

    /// <summary>Keys for the inference routes.</summary>
    public IReadOnlyList<string> ApiKeys { get; set; } = [];

    /// <summary>Keys for the admin routes; they open the inference routes too.</summary>
    public IReadOnlyList<string> AdminKeys { get; set; } = [];

    /// <summary>Reads the section; a list may also be given as one value, so that no key is ever lost to a missing index.</summary>
    public static AuthOptions Read(IConfiguration configuration) => new()
    {
        ApiKeys = Keys(configuration.GetSection(Section + ":" + nameof(ApiKeys))),
        AdminKeys = Keys(configuration.GetSection(Section + ":" + nameof(AdminKeys))),
    };

    private static string[] Keys(IConfigurationSection section)
    {
        IEnumerable<IConfigurationSection> given = string.IsNullOrEmpty(section.Value) ? section.GetChildren() : [section, .. section.GetChildren()];
        return [.. given.Select(key => string.IsNullOrWhiteSpace(key.Value)
            ? throw new StartupException($"{key.Path} is an empty key. Give a key, or remove the entry.")
            : key.Value)];
    }
}
