using System.CommandLine;
using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 model inspect</c>.</summary>
internal static class ModelInspectCommand
{
    private const double MiB = 1 << 20;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        Argument<DirectoryInfo> folder = new("DIR") { Description = "A Hugging Face folder." };
        Option<bool> tensors = new("--tensors") { Description = "Lists every tensor instead of one layer's." };
        Command command = new("inspect", "Checks a checkpoint and shows its config, its tensors and the memory it needs.") { folder, tensors };
        command.SetAction(result => Run(result.GetRequiredValue(folder).FullName, result.GetValue(tensors)));
        return command;
    }

    private static int Run(string folder, bool allTensors)
    {
        try
        {
            using Checkpoint checkpoint = Checkpoint.Open(folder);
            WriteConfig(checkpoint.Config);
            WriteTensors(checkpoint, allTensors);
            WriteMemory(checkpoint);
            return 0;
        }
        catch (CheckpointException error)
        {
            Console.Error.WriteLine(error.Message);
            return 1;
        }
    }

    private static void WriteConfig(ModelConfig config)
    {
        string rope = config.RopeScaling is RopeScaling scaling ? $", llama3 scaling by {scaling.Factor} beyond {scaling.OriginalMaxPositionEmbeddings}" : "";
        Console.WriteLine($"architecture      {config.Architecture}");
        Console.WriteLine($"parameters        {ModelTensors.CountParameters(config):N0}");
        Console.WriteLine($"layers            {config.Layers}");
        Console.WriteLine($"hidden, FFN       {config.HiddenSize}, {config.IntermediateSize}");
        Console.WriteLine($"heads             {config.Heads} of {config.HeadDim}, {config.KeyValueHeads} for keys and values");
        Console.WriteLine($"vocabulary        {config.VocabularySize:N0}, {(config.TieWordEmbeddings ? "tied" : "separate")} output head");
        Console.WriteLine($"positions         {config.MaxPositionEmbeddings:N0}, RoPE base {config.RopeTheta:R}{rope}");
        Console.WriteLine($"end of sequence   {string.Join(", ", config.EndOfSequenceIds)}");
    }

    private static void WriteTensors(Checkpoint checkpoint, bool all)
    {
        Console.WriteLine();
        string firstLayer = ModelTensors.LayerPrefix(0);
        foreach ((string name, SafetensorsEntry entry) in checkpoint.Tensors)
        {
            if (all || name.StartsWith(firstLayer, StringComparison.Ordinal) || !name.StartsWith("model.layers.", StringComparison.Ordinal))
            {
                Console.WriteLine($"{name,-52} {entry.DType,-9} [{string.Join(", ", entry.Shape)}]");
            }
        }
    }

    private static void WriteMemory(Checkpoint checkpoint)
    {
        long parameters = ModelTensors.CountParameters(checkpoint.Config);
        Console.WriteLine();
        Console.WriteLine($"on disk           {checkpoint.Tensors.Sum(tensor => tensor.Entry.ByteCount) / MiB:N1} MiB");
        foreach ((string dtype, int bytes) in new[] { ("bfloat16", 2), ("float32", 4) })
        {
            long perToken = checkpoint.Config.KeyValueBytesPerToken(bytes);
            Console.WriteLine($"{dtype,-17} weights {parameters * bytes / MiB:N1} MiB, keys and values {perToken:N0} bytes a token ({perToken * 1024 / MiB:N1} MiB for 1,024)");
        }
    }
}
