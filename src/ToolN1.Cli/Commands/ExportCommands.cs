using System.CommandLine;
using ToolN1.Training.Export;
using ToolN1.Training.Grpo;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 export …</c>.</summary>
internal static class ExportCommands
{
    /// <summary>The command with its subcommands.</summary>
    public static Command Create() => new("export", "Writes what other programs read.") { Verl() };

    private static Command Verl()
    {
        Option<FileInfo> config = new("--config") { Description = "A GRPO run as JSON; its data, prompts, reward and hyperparameters are exported.", Required = true };
        Option<DirectoryInfo> output = new("--out") { Description = "Folder to write.", Required = true };
        Option<int> nodes = CountOption.Create("--nodes", "Machines.", 1);
        Option<int> gpus = CountOption.Create("--gpus", "GPUs of each.", 8);
        Command command = new("verl", "A run for verl on a Ray cluster: parquet rows, our reward in Python, run.sh.") { config, output, nodes, gpus };
        command.SetAction(async (result, cancellationToken) =>
        {
            try
            {
                GrpoConfig run = GrpoConfigReader.Read(result.GetRequiredValue(config).FullName);
                string folder = result.GetRequiredValue(output).FullName;
                VerlExportReport report = await VerlExport.WriteAsync(run, folder, result.GetValue(nodes), result.GetValue(gpus), cancellationToken);
                Console.WriteLine($"{report.TrainRows:N0} rows to learn from, {report.ValidationRows:N0} held out, in {folder}");
                if (report.RowsInWords > 0)
                {
                    Console.WriteLine($"{report.RowsInWords:N0} rows were left out: their answers are in words, which the reward cannot judge.");
                }

                if (report.SkippedRows > 0)
                {
                    Console.WriteLine($"{report.SkippedRows:N0} rows were left out: their texts spell added tokens, which verl's tokenizer would take for control tokens.");
                }

                foreach (string note in report.NotCarried)
                {
                    Console.WriteLine($"Not carried over: {note}.");
                }

                return 0;
            }
            catch (Exception error) when (CommandFailure.IsExpected(error))
            {
                return CommandFailure.Tell(error);
            }
        });
        return command;
    }
}
