using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.Harness;

/// <summary>One answered and scored question: a line of results.jsonl.</summary>
public sealed record EvaluationResult
{
    private static readonly JsonWriterOptions Unescaped = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The question's category.</summary>
    public required string Category { get; init; }

    /// <summary>The question's id.</summary>
    public required string Id { get; init; }

    /// <summary>What the model was given: the exact text in parity mode, tools and conversation in native mode.</summary>
    public required string Prompt { get; init; }

    /// <summary>What the model wrote.</summary>
    public required string Output { get; init; }

    /// <summary>The calls that the verdict was given on, under their original names, a JSON array; null where none could be read.</summary>
    public string? CallsJson { get; init; }

    /// <summary>Whether it counts as correct.</summary>
    public required bool Valid { get; init; }

    /// <summary>The official error type, or null.</summary>
    public string? ErrorType { get; init; }

    /// <summary>What went wrong in a few words, or null.</summary>
    public string? Failure { get; init; }

    /// <summary>Function and parameter, or null.</summary>
    public string? Detail { get; init; }

    /// <summary>The functions that a right answer calls.</summary>
    public required IReadOnlyList<string> ExpectedTools { get; init; }

    /// <summary>Null where the server did not say.</summary>
    public int? PromptTokens { get; init; }

    /// <summary>Null where the server did not say.</summary>
    public int? CompletionTokens { get; init; }

    /// <summary>From asking to the end of the answer.</summary>
    public required double LatencyMilliseconds { get; init; }

    /// <summary>stop, length …</summary>
    public required string FinishReason { get; init; }

    /// <summary>Scores a reply.</summary>
    internal static EvaluationResult Create(BenchmarkCase question, EvaluationMode mode, EvaluationReply reply, TimeSpan latency)
    {
        (EvaluationVerdict verdict, string? calls) = question.Score(reply.Completion);
        return new EvaluationResult
        {
            Category = question.Category,
            Id = question.Id,
            Prompt = mode == EvaluationMode.Parity ? question.ParityText : question.NativeText,
            Output = reply.Output,
            CallsJson = calls,
            Valid = verdict.Valid,
            ErrorType = verdict.ErrorType,
            Failure = FailureClass.Of(verdict),
            Detail = verdict.Detail,
            ExpectedTools = question.ExpectedTools,
            PromptTokens = reply.PromptTokens,
            CompletionTokens = reply.CompletionTokens,
            LatencyMilliseconds = Math.Round(latency.TotalMilliseconds, 1),
            FinishReason = reply.FinishReason,
        };
    }

    /// <summary>The result as one line of JSON, without line end.</summary>
    public string ToJson()
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream, Unescaped))
        {
            writer.WriteStartObject();
            writer.WriteString("category", Category);
            writer.WriteString("id", Id);
            writer.WriteString("prompt", Prompt);
            writer.WriteString("output", Output);
            writer.WriteString("calls", CallsJson);
            writer.WriteBoolean("valid", Valid);
            writer.WriteString("error_type", ErrorType);
            writer.WriteString("failure", Failure);
            writer.WriteString("detail", Detail);
            writer.WriteStartArray("expected_tools");
            foreach (string tool in ExpectedTools)
            {
                writer.WriteStringValue(tool);
            }

            writer.WriteEndArray();
            WriteNumber(writer, "prompt_tokens", PromptTokens);
            WriteNumber(writer, "completion_tokens", CompletionTokens);
            writer.WriteNumber("latency_ms", LatencyMilliseconds);
            writer.WriteString("finish_reason", FinishReason);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>Reads a line of results.jsonl.</summary>
    /// <exception cref="InvalidDataException">Not such a line.</exception>
    public static EvaluationResult Parse(string json)
    {
        try
        {
            PyDict line = PyJson.Parse(json).Entries;
            return new EvaluationResult
            {
                Category = line["category"].Text,
                Id = line["id"].Text,
                Prompt = line["prompt"].Text,
                Output = line["output"].Text,
                CallsJson = Optional("calls"),
                Valid = line["valid"].IsTruthy,
                ErrorType = Optional("error_type"),
                Failure = Optional("failure"),
                Detail = Optional("detail"),
                ExpectedTools = line["expected_tools"].Items.ConvertAll(tool => tool.Text),
                PromptTokens = Number("prompt_tokens"),
                CompletionTokens = Number("completion_tokens"),
                LatencyMilliseconds = line["latency_ms"] is { Kind: PyKind.Float } latency ? latency.Number : (double)line["latency_ms"].Integer,
                FinishReason = line["finish_reason"].Text,
            };

            string? Optional(string key) => line.TryGetValue(key, out PyValue? value) && !value.IsNone ? value.Text : null;
            int? Number(string key) => line.TryGetValue(key, out PyValue? value) && !value.IsNone ? (int)value.Integer : null;
        }
        catch (Exception e) when (e is PyException or FormatException)
        {
            throw new InvalidDataException($"not a line of results: {e.Message}", e);
        }
    }

    private static void WriteNumber(Utf8JsonWriter writer, string name, int? value)
    {
        if (value is int known)
        {
            writer.WriteNumber(name, known);
        }
        else
        {
            writer.WriteNull(name);
        }
    }
}
