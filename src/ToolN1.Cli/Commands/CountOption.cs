using System.CommandLine;

namespace ToolN1.Cli.Commands;

/// <summary>An option that counts something there must be at least one of.</summary>
internal static class CountOption
{
    /// <summary>The option.</summary>
    public static Option<int> Create(string name, string description, int standard)
    {
        Option<int> option = new(name) { Description = description, DefaultValueFactory = _ => standard };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
            {
                result.AddError($"{name} must be at least 1.");
            }
        });
        return option;
    }
}
