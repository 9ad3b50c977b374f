using System.Text;
using System.Text.Json;

namespace ToolN1.Training.Data;

/// <summary>Reads datasets (JSONL, UTF-8) whose lines are our rows or OpenAI's (conversations, and prompts with reference fields), or some of each.</summary>
public static class DatasetReader
{
    /// <summary>Faults of a file that are reported at once.</summary>
    public const int MostFaults = 10;

    /// <summary>Reads the rows with the numbers of their lines, from 1; the file is open while the caller enumerates.</summary>
    /// <exception cref="TrainingDataException">A line is not a row.</exception>
    public static IEnumerable<(int Line, TrainingRow Row)> Read(string file)
    {
        int number = 0;
        using StreamReader reader = new(file, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true));
        while (NextLine(reader, file, number + 1) is string line)
        {
            number++;
            if (!string.IsNullOrWhiteSpace(line))
            {
                foreach (TrainingRow row in Parse(line, file, number))
                {
                    yield return (number, row);
                }
            }
        }
    }

    /// <summary>Reads a whole file and says what is in it. A row whose answer calls a tool that it does not offer is a fault: only a guess could earn it, and learning it teaches to guess.</summary>
    /// <param name="file">The file.</param>
    /// <param name="cancellationToken">Stops between lines.</param>
    public static DatasetCheck Check(string file, CancellationToken cancellationToken)
    {
        List<string> faults = [];
        int rows = 0;
        int number = 0;
        int? withoutReasoning = null;
        using StreamReader reader = new(file, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true));
        while (faults.Count < MostFaults)
        {
            cancellationToken.ThrowIfCancellationRequested();
            string? line;
            try
            {
                line = NextLine(reader, file, number + 1);
            }
            catch (TrainingDataException error)
            {
                // What follows cannot be told apart into lines.
                faults.Add($"line {error.Line}: {error.Reason}");
                break;
            }

            if (line is null)
            {
                break;
            }

            number++;
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }

            try
            {
                IReadOnlyList<TrainingRow> parsed = Parse(line, file, number);
                if (parsed.Select(NotOffered).FirstOrDefault(name => name is not null) is string tool)
                {
                    throw new TrainingDataException(file, number, $"the answer calls '{tool}', a tool that the row does not offer");
                }

                rows += parsed.Count;
                withoutReasoning ??= parsed.Any(row => row is { Think: null, Reply: null }) ? number : null;
            }
            catch (TrainingDataException error)
            {
                faults.Add($"line {error.Line}: {error.Reason}");
            }
        }

        if (rows == 0 && faults.Count == 0)
        {
            faults.Add("there is no row in it");
        }

        return new DatasetCheck(rows, withoutReasoning, faults);
    }

    /// <summary>The rows of one line.</summary>
    /// <exception cref="TrainingDataException">The line is not a row.</exception>
    public static IReadOnlyList<TrainingRow> Parse(string text, string file, int line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                throw new FormatException("the row is not an object");
            }

            return IsOurs(root) ? [TrainingRowReader.Parse(text, file, line)]
                : ChatRowReader.IsPrompt(root) ? [ChatRowReader.ParsePrompt(root)]
                : root.TryGetProperty("messages", out _) ? ChatRowReader.Parse(root)
                : throw new FormatException("the row has neither 'answer' (this server's rows) nor 'messages' (OpenAI's conversations)");
        }
        catch (Exception error) when (error is JsonException or FormatException)
        {
            throw new TrainingDataException(file, line, error.Message, error);
        }
        catch (InvalidOperationException error)
        {
            // The only text that JSON can write and that is none.
            throw new TrainingDataException(file, line, "a text holds an escaped half of a surrogate pair, which is not a character", error);
        }
    }

    /// <summary>The first tool that a row's answer calls and the row does not offer; null where all are on offer.</summary>
    private static string? NotOffered(TrainingRow row) => row.Answer.FirstOrDefault(call => row.Tools.All(tool => tool.Name != call.Name))?.Name;

    /// <summary>Ours list their calls; where the tools are written as OpenAI's, <c>answer</c> is a field of that row's own.</summary>
    private static bool IsOurs(JsonElement root) =>
        root.TryGetProperty("answer", out JsonElement answer) && answer.ValueKind == JsonValueKind.Array
        && !(root.TryGetProperty("tools", out JsonElement tools) && tools.ValueKind == JsonValueKind.Array && tools.GetArrayLength() > 0
            && tools[0].ValueKind == JsonValueKind.Object && tools[0].TryGetProperty("function", out _));

    private static string? NextLine(StreamReader reader, string file, int number)
    {
        try
        {
            return reader.ReadLine();
        }
        catch (DecoderFallbackException error)
        {
            throw new TrainingDataException(file, number, "the file is not valid UTF-8 at or soon after this line", error);
        }
    }
}

/// <summary>What a dataset holds.</summary>
/// <param name="Rows">Rows that can be trained on.</param>
/// <param name="LineWithoutReasoning">First line with a row that has neither reasoning nor an answer in words to teach; null when all have one.</param>
/// <param name="Faults">What is wrong with it, by line; empty for a file that can be used.</param>
public sealed record DatasetCheck(int Rows, int? LineWithoutReasoning, IReadOnlyList<string> Faults);
