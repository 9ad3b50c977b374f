using System.CommandLine;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using ToolN1.Engine.Chat;

namespace ToolN1.Cli.Commands;

/// <summary><c>tooln1 data prompts</c>: rows to the exact text that a model is given.</summary>
internal static class DataPromptsCommand
{
    private static readonly JsonWriterOptions Unescaped = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The command.</summary>
    public static Command Create()
    {
        Option<string> format = new("--format") { Required = true, Description = "Prompt format." };
        format.AcceptOnlyFromAmong("tool-n1", "hermes");
        Option<FileInfo> rows = new("--rows") { Required = true, Description = "JSON lines: messages or conversations, tools, raw_system." };
        rows.AcceptExistingOnly();
        Option<FileInfo> output = new("--out") { Required = true, Description = "JSON lines to write: {\"text\": prompt}, one for each row." };
        Command command = new("prompts", "Renders rows to prompts.") { format, rows, output };
        command.SetAction(result =>
        {
            try
            {
                int count = Write(result.GetValue(format)!, result.GetValue(rows)!.FullName, result.GetValue(output)!.FullName);
                Console.WriteLine($"{count} prompts written to {result.GetValue(output)}");
                return 0;
            }
            catch (InvalidDataException exception)
            {
                Console.Error.WriteLine(exception.Message);
                return 1;
            }
        });
        return command;
    }

    private static int Write(string format, string rows, string output)
    {
        using FileStream stream = File.Create(output);
        int number = 0, count = 0;
        foreach (string line in File.ReadLines(rows))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }

            try
            {
                using JsonDocument row = JsonDocument.Parse(line);
                using (Utf8JsonWriter writer = new(stream, Unescaped))
                {
                    writer.WriteStartObject();
                    writer.WriteString("text", PromptRowRenderer.Render(format, row.RootElement).Text);
                    writer.WriteEndObject();
                }

                stream.Write(Encoding.UTF8.GetBytes("\n"));
                count++;
            }
            catch (Exception exception) when (exception is JsonException or ArgumentException or InvalidDataException)
            {
                throw new InvalidDataException($"{rows}, line {number}: {exception.Message}", exception);
            }
        }

        return count;
    }
}
