using System.CommandLine;
using ToolN1.Engine.Model;
using ToolN1.Engine.Tokenization;
using ToolN1.Training;
using ToolN1.Training.Data;
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
        Option<int> nodes = new("--nodes") { Description = "Machines.", DefaultValueFactory = _ => 1 };
        Option<int> gpus = new("--gpus") { Description = "GPUs of each.", DefaultValueFactory = _ => 8 };
        Command command = new("verl", "A run for verl on a Ray cluster: parquet rows, our reward in Python, run.sh.") { config, output, nodes, gpus };
        command.SetAction(async (result, cancellationToken) =>
        {
            try
            {
                GrpoConfig run = GrpoConfigReader.Read(result.GetRequiredValue(config).FullName);
                string folder = result.GetRequiredValue(output).FullName;
                VerlExportReport report = await VerlExport.WriteAsync(run, folder, result.GetValue(nodes), result.GetValue(gpus), cancellationToken);
                Console.WriteLine($"{report.TrainRows:N0} rows to learn from, {report.ValidationRows:N0} held out, in {folder}");
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
            catch (Exception error) when (error is TrainingConfigException or TrainingDataException or CheckpointException or TokenizerFormatException or NotSupportedException or IOException)
            {
                Console.Error.WriteLine(error.Message);
                return 1;
            }
        });
        return command;
    }
}
