using System.CommandLine;
using ToolN1.Training.Data.Synthetic;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 data synthetic</c>.</summary>
internal static class DataSyntheticCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        Option<DirectoryInfo> output = new("--out") { Description = "Folder for train-1..3.jsonl, validation.jsonl and heldout/*.jsonl.", Required = true };
        Option<int> count = new("--count") { Description = "Training rows, all stages together.", DefaultValueFactory = _ => 200_000 };
        Option<int> heldOut = new("--held-out") { Description = "Rows of every held-out file.", DefaultValueFactory = _ => 500 };
        Option<ulong> seed = new("--seed") { Description = "The same seed writes the same bytes.", DefaultValueFactory = _ => 1 };
        Option<int> group = CountOption.Create("--group", "Adjacent training rows with the same tools, whose common prompt a trainer packs once.", SyntheticGenerator.DefaultGroupSize);
        Option<double?> procedural = Share("--procedural", "Share of training groups with functions of meaningless words; by stage where not given.");
        Option<double?> masked = Share("--masked", "Share of training groups with meaningless names; by stage where not given.");
        Option<double?> common = Share("--common", "Share of functions drawn from the common ones (weather, e-mail, timers); 0.2 where not given.");
        Command command = new("synthetic", "Makes tool-calling rows from verbs, objects, parameter kinds and value pools.") { output, count, heldOut, seed, group, procedural, masked, common };
        command.SetAction(result =>
        {
            SyntheticGenerator generator = new()
            {
                GroupSize = result.GetRequiredValue(group),
                ProceduralShare = result.GetValue(procedural),
                MaskedShare = result.GetValue(masked),
                CommonShare = result.GetValue(common) ?? 0.2,
            };
            SyntheticDataset.Write(result.GetRequiredValue(output).FullName, result.GetRequiredValue(count), result.GetRequiredValue(heldOut), result.GetRequiredValue(seed), generator);
        });
        return command;
    }

    private static Option<double?> Share(string name, string description)
    {
        Option<double?> option = new(name) { Description = description };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double?>() is not (null or (>= 0 and <= 1)))
            {
                result.AddError($"{name} must be between 0 and 1.");
            }
        });
        return option;
    }
}
