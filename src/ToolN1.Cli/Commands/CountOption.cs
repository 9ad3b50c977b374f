using System.CommandLine;

namespace ToolN1.Cli.Commands;

/// <summary>An option that counts something of which there must be some.</summary>
internal static class CountOption
{
    /// <summary>The option.</summary>
    /// <param name="name">With its dashes.</param>
    /// <param name="description">For the help.</param>
    /// <param name="standard">Its value where it is not given.</param>
    /// <param name="least">Less is refused.</param>
    public static Option<int> Create(string name, string description, int standard, int least = 1)
    {
        Option<int> option = new(name) { Description = description, DefaultValueFactory = _ => standard };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < least)
            {
                result.AddError($"{name} must be at least {least}.");
            }
        });
        return option;
    }
}
