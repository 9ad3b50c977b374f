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
        Option<int> group = new("--group") { Description = "Adjacent training rows with the same tools, whose common prompt a trainer packs once.", DefaultValueFactory = _ => SyntheticGenerator.DefaultGroupSize };
        group.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
            {
                result.AddError("--group must be at least 1.");
            }
        });
        Command command = new("synthetic", "Makes tool-calling rows from verbs, objects, parameter kinds and value pools.") { output, count, heldOut, seed, group };
        command.SetAction(result => SyntheticDataset.Write(result.GetRequiredValue(output).FullName, result.GetRequiredValue(count), result.GetRequiredValue(heldOut), result.GetRequiredValue(seed), result.GetRequiredValue(group)));
        return command;
    }
}
