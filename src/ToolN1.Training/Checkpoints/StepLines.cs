using System.Text.Json;
using ToolN1.Engine.Weights;

namespace ToolN1.Training.Checkpoints;

/// <summary>A run's JSONL files, whose lines each have a <c>step</c>: they go on where the run goes on.</summary>
internal static class StepLines
{
    /// <summary>Opens a file for more lines. Keeps those up to the step that the run goes on from; what came after it is done again.</summary>
    /// <param name="path">The file.</param>
    /// <param name="doneSteps">That step, 0 being the start, or below for none; null for a new run, which begins an empty file.</param>
    public static StreamWriter Open(string path, int? doneSteps)
    {
        bool goesOn = doneSteps is not null && File.Exists(path);
        if (goesOn)
        {
            DurableStorage.WriteText(path, string.Concat(File.ReadLines(path).Where(line => StepOf(line) <= doneSteps).Select(line => line + "\n")));
        }

        return new StreamWriter(path, append: goesOn) { AutoFlush = true, NewLine = "\n" };
    }

    /// <summary>Null for a line that a killed process left half written.</summary>
    private static int? StepOf(string line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            return document.RootElement.GetProperty("step").GetInt32();
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
