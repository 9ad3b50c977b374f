using System.Text.Json.Nodes;

namespace ToolN1.Api.OpenApi;

/// <summary>The example requests of the API's documentation. Tests send every one of them.</summary>
internal static class RequestExamples
{
    /// <summary>Stands for a file where none was uploaded.</summary>
    private const string Placeholder = "file-TRAINING";

    private const string WeatherTool =
        """
        {
          "type": "function",
          "function": {
            "name": "get_weather",
            "description": "Get the current weather of a city.",
            "parameters": {
              "type": "object",
              "properties": { "city": { "type": "string", "description": "The city, for example Paris." } },
              "required": ["city"]
            }
          }
        }
        """;

    private const string ResponseWeatherTool =
        """
        {
          "type": "function",
          "name": "get_weather",
          "description": "Get the current weather of a city.",
          "parameters": {
            "type": "object",
            "properties": { "city": { "type": "string", "description": "The city, for example Paris." } },
            "required": ["city"],
            "additionalProperties": false
          },
          "strict": true
        }
        """;

    /// <summary>POST /v1/chat/completions.</summary>
    public static IReadOnlyList<(string Name, string Summary, JsonObject Body)> Chat(string model) =>
    [
        ("tool_call", "A question that a tool can answer", Parse(
            $$"""
            {
              "model": {{Quote(model)}},
              "messages": [{ "role": "user", "content": "What is the weather in Paris?" }],
              "tools": [{{WeatherTool}}],
              "temperature": 0,
              "max_completion_tokens": 256
            }
            """)),
        ("tool_result", "The second turn: the tool's result goes back to the model", Parse(
            $$"""
            {
              "model": {{Quote(model)}},
              "messages": [
                { "role": "user", "content": "What is the weather in Paris?" },
                {
                  "role": "assistant",
                  "content": null,
                  "tool_calls": [{ "id": "call_1", "type": "function", "function": { "name": "get_weather", "arguments": "{\"city\": \"Paris\"}" } }]
                },
                { "role": "tool", "tool_call_id": "call_1", "content": "{\"temperature_celsius\": 21}" }
              ],
              "tools": [{{WeatherTool}}],
              "temperature": 0,
              "max_completion_tokens": 256
            }
            """)),
        ("streamed", "The same question, answered piece by piece", Parse(
            $$"""
            {
              "model": {{Quote(model)}},
              "messages": [{ "role": "user", "content": "What is the weather in Paris?" }],
              "tools": [{{WeatherTool}}],
              "temperature": 0,
              "max_completion_tokens": 256,
              "stream": true,
              "stream_options": { "include_usage": true }
            }
            """)),
        ("required_call", "A call is required, and of this tool", Parse(
            $$"""
            {
              "model": {{Quote(model)}},
              "messages": [{ "role": "user", "content": "What is the weather in Paris?" }],
              "tools": [{{WeatherTool}}],
              "tool_choice": { "type": "function", "function": { "name": "get_weather" } },
              "parallel_tool_calls": false,
              "reasoning_effort": "low",
              "temperature": 0,
              "max_completion_tokens": 512
            }
            """)),
        ("json_schema", "An answer that follows a JSON schema", Parse(
            $$"""
            {
              "model": {{Quote(model)}},
              "messages": [{ "role": "user", "content": "Answer in JSON with city and country: where is the Eiffel tower?" }],
              "response_format": {
                "type": "json_schema",
                "json_schema": {
                  "name": "place",
                  "strict": true,
                  "schema": {
                    "type": "object",
                    "properties": { "city": { "type": "string", "maxLength": 40 }, "country": { "type": "string", "enum": ["France", "Italy", "Spain"] } },
                    "required": ["city", "country"],
                    "additionalProperties": false
                  }
                }
              },
              "reasoning_effort": "none",
              "temperature": 0,
              "max_completion_tokens": 256
            }
            """)),
        ("functions", "OpenAI's older form of tools", Parse(
            $$"""
            {
              "model": {{Quote(model)}},
              "messages": [{ "role": "user", "content": "What is the weather in Paris?" }],
              "functions": [{ "name": "get_weather", "parameters": { "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] } }],
              "function_call": "auto",
              "temperature": 0,
              "max_completion_tokens": 256
            }
            """)),
    ];

    /// <summary>POST /v1/responses.</summary>
    public static IReadOnlyList<(string Name, string Summary, JsonObject Body)> Response(string model) =>
    [
        ("text", "A user's text", Parse($$"""{ "model": {{Quote(model)}}, "input": "Hello!", "max_output_tokens": 64, "temperature": 0 }""")),
        ("tool_call", "A question that a tool can answer", Parse(
            $$"""
            {
              "model": {{Quote(model)}},
              "instructions": "Use the tools.",
              "input": [{ "role": "user", "content": "What is the weather in Paris?" }],
              "tools": [{{ResponseWeatherTool}}],
              "temperature": 0,
              "max_output_tokens": 256
            }
            """)),
        ("tool_result", "The second turn, streamed: the items of the first and the tool's result", Parse(
            $$"""
            {
              "model": {{Quote(model)}},
              "input": [
                { "role": "user", "content": "What is the weather in Paris?" },
                { "type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": "{\"city\": \"Paris\"}" },
                { "type": "function_call_output", "call_id": "call_1", "output": "{\"temperature_celsius\": 21}" }
              ],
              "tools": [{{ResponseWeatherTool}}],
              "temperature": 0,
              "max_output_tokens": 256,
              "stream": true
            }
            """)),
    ];

    /// <summary>POST /v1/completions.</summary>
    public static IReadOnlyList<(string Name, string Summary, JsonObject Body)> Completion(string model) =>
    [
        ("continue", "Continue a text", Parse($$"""{ "model": {{Quote(model)}}, "prompt": "The weather in Paris is", "max_tokens": 16, "temperature": 0 }""")),
        ("score", "Score a text without generating", Parse($$"""{ "model": {{Quote(model)}}, "prompt": "The weather in Paris is", "max_tokens": 0, "echo": true, "logprobs": 1 }""")),
        ("token_ids", "A prompt of token ids", Parse($$"""{ "model": {{Quote(model)}}, "prompt": [[40, 41, 42], [43, 44]], "max_tokens": 4, "seed": 7 }""")),
    ];

    /// <summary>POST /tokenize.</summary>
    public static IReadOnlyList<(string Name, string Summary, JsonObject Body)> Tokenize(string model) =>
    [
        ("text", "A text", Parse($$"""{ "model": {{Quote(model)}}, "prompt": "Hello, world" }""")),
        ("conversation", "A conversation in the served chat format", Parse($$"""{ "messages": [{ "role": "user", "content": "What is the weather in Paris?" }], "tools": [{{WeatherTool}}], "return_token_strs": true }""")),
    ];

    /// <summary>POST /detokenize.</summary>
    public static IReadOnlyList<(string Name, string Summary, JsonObject Body)> Detokenize(string model) =>
        [("ids", "Token ids", Parse($$"""{ "model": {{Quote(model)}}, "tokens": [40, 41, 42] }"""))];

    /// <summary>POST /v1/fine_tuning/alpha/graders/run.</summary>
    public static IReadOnlyList<(string Name, string Summary, JsonObject Body)> GraderRun =>
    [
        ("tool_call", "Tool-N1's reward", Parse(
            """
            {
              "grader": { "type": "tool_call", "name": "calls", "reference": "{{item.answer}}" },
              "item": { "answer": [{ "name": "get_weather", "arguments": { "city": "Paris" } }] },
              "model_sample": "<think>The weather tool fits.</think><tool_call>[{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}]</tool_call>"
            }
            """)),
        ("multi", "The reward, with something for the right function", Parse(
            """
            {
              "grader": {
                "type": "multi",
                "name": "graded",
                "graders": {
                  "calls": { "type": "tool_call", "name": "calls", "reference": "{{item.answer}}" },
                  "function": { "type": "string_check", "name": "function", "operation": "eq", "input": "{{sample.output_tools[0].function.name}}", "reference": "{{item.answer[0].name}}" },
                  "city": { "type": "text_similarity", "name": "city", "evaluation_metric": "fuzzy_match", "input": "{{sample.output_tools[0].function.arguments}}", "reference": "{{item.answer[0].arguments}}" }
                },
                "calculate_output": "max(calls, 0.2 * function + 0.1 * city)"
              },
              "item": { "answer": [{ "name": "get_weather", "arguments": { "city": "Paris" } }] },
              "model_sample": "<think>Rome, then.</think><tool_call>[{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Rome\"}}]</tool_call>"
            }
            """)),
    ];

    /// <summary>POST /v1/fine_tuning/alpha/graders/validate.</summary>
    public static IReadOnlyList<(string Name, string Summary, JsonObject Body)> GraderValidate =>
        [("text_similarity", "A text similarity", Parse(
            """{ "grader": { "type": "text_similarity", "name": "alike", "evaluation_metric": "rouge_l", "input": "{{sample.output_text}}", "reference": "{{item.answer}}" } }"""))];

    /// <summary>POST /admin/evaluations.</summary>
    public static IReadOnlyList<(string Name, string Summary, JsonObject Body)> Evaluation =>
    [
        ("bfcl", "BFCL's data under ToolN1:DataDirectory, in benchmarks/bfcl", Parse("""{ "benchmark": "bfcl" }""")),
        ("some", "Ten cases of one category, with the served chat format", Parse("""{ "benchmark": "bfcl", "categories": ["simple"], "limit": 10, "mode": "native", "max_tokens": 512 }""")),
    ];

    /// <summary>POST /v1/fine_tuning/jobs; without an uploaded file its id is a placeholder.</summary>
    public static IReadOnlyList<(string Name, string Summary, JsonObject Body)> FineTuningJob(ExampleNames names) =>
    [
        ("automatic", "Everything chosen by the server", Parse($$"""{ "model": {{Quote(names.Model)}}, {{Files(names)}} }""")),
        ("supervised", "Hyperparameters given", Parse(
            $$$"""
            {
              "model": {{{Quote(names.Model)}}},
              {{{Files(names)}}},
              "method": {
                "type": "supervised",
                "supervised": { "hyperparameters": { "n_epochs": 2, "batch_size": 8, "learning_rate_multiplier": "auto", "live_share": 0.7 } }
              },
              "seed": 7,
              "suffix": "weather",
              "metadata": { "ticket": "T-1" }
            }
            """)),
        ("reinforcement", "Groups of answers, scored by the built-in reward of tool calls", Parse(
            $$$"""
            {
              "model": {{{Quote(names.Model)}}},
              {{{Files(names)}}},
              "method": {
                "type": "reinforcement",
                "reinforcement": {
                  "grader": { "type": "tool_call", "name": "calls", "reference": "{{item.answer}}" },
                  "hyperparameters": { "n_epochs": "auto", "batch_size": 8, "compute_multiplier": 0.5, "eval_interval": 5, "max_response_tokens": 192 }
                }
              },
              "seed": 7
            }
            """)),
    ];

    /// <summary>POST /admin/training/jobs; without an uploaded file its id is a placeholder.</summary>
    public static IReadOnlyList<(string Name, string Summary, JsonObject Body)> AdminTrainingJob(ExampleNames names) =>
    [
        ("dry_run", "What a job would be and need, without making it", Parse(
            $$$"""
            {
              "model": {{{Quote(names.Model)}}},
              "training_file": {{{Quote(names.TrainingFile ?? Placeholder)}}},
              "method": {
                "type": "reinforcement",
                "reinforcement": {
                  "grader": { "type": "tool_call", "name": "calls", "reference": "{{item.answer}}" },
                  "hyperparameters": { "profile": "default", "steps": 60, "group_size": 8, "max_response_tokens": 192 }
                }
              },
              "dry_run": true
            }
            """)),
        ("adapter", "Adapters, with values of every kind", Parse(
            $$$"""
            {
              "model": {{{Quote(names.Model)}}},
              {{{Files(names)}}},
              "method": {
                "type": "reinforcement",
                "reinforcement": {
                  "grader": { "type": "tool_call", "name": "calls", "reference": "{{item.answer}}" },
                  "hyperparameters": {
                    "steps": 20, "batch_size": 8, "group_size": 4, "max_response_tokens": 192,
                    "lora": { "rank": 16, "alpha": 32 }, "loss": { "kl_coefficient": 0.001, "clip_high": 0.28 },
                    "optimizer": { "learning_rate": 0.0002 }, "sampling": { "temperature": 1 }, "alarms": { "kl_ceiling": 1 },
                    "checkpoint_every_steps": 5, "live_share": 0.7
                  }
                }
              },
              "seed": 7
            }
            """)),
    ];

    /// <summary>PATCH /admin/training/jobs/{id}, of a job that another example made; the first is for any of them that reinforces.</summary>
    public static IReadOnlyList<(string Name, string Summary, JsonObject Body)> EditJob =>
    [
        ("slower", "A lower learning rate and shorter answers", Parse("""{ "learning_rate": 0.00001, "max_response_tokens": 128 }""")),
        ("kl", "More KL: of a job with adapters, or that began with a KL coefficient", Parse("""{ "kl_coefficient": 0.01, "kl_ceiling": 0.5 }""")),
    ];

    /// <summary>POST /admin/models/load.</summary>
    public static IReadOnlyList<(string Name, string Summary, JsonObject Body)> Load(ExampleNames names) =>
        [("version", "A version, before anybody asks for it", Parse($$"""{ "model": {{Quote(names.Version)}} }"""))];

    /// <summary>POST /admin/models/promote; where nothing was trained yet, the version is live already.</summary>
    public static IReadOnlyList<(string Name, string Summary, JsonObject Body)> Promote(ExampleNames names) =>
    [
        ("gated", "Through the gate", Parse($$"""{ "model": {{Quote(names.Version)}} }""")),
        ("forced", "Whatever the gate says", Parse($$"""{ "model": {{Quote(names.Version)}}, "force": true }""")),
    ];

    /// <summary>POST /admin/captures/{id}/correct, of a request that offers <c>get_weather</c>.</summary>
    public static IReadOnlyList<(string Name, string Summary, JsonObject Body)> CaptureCorrection =>
    [
        ("call", "The right call, with the reasoning that leads to it", Parse(
            """{ "calls": [{ "name": "get_weather", "arguments": { "city": "Paris" } }], "reasoning": "The user asks for the weather in Paris; get_weather tells it." }""")),
        ("none", "No tool applies", Parse("""{ "calls": [], "reasoning": "None of the tools has to do with it." }""")),
    ];

    /// <summary>POST /admin/captures/export.</summary>
    public static IReadOnlyList<(string Name, string Summary, JsonObject Body)> CaptureExport =>
    [
        ("all", "All that was found right", Parse("{}")),
        ("new", "What is new, for supervised training", Parse("""{ "filename": "weather.jsonl", "tool": "get_weather", "only_new": true, "require_reasoning": true }""")),
    ];

    private static string Files(ExampleNames names) =>
        $"\"training_file\": {Quote(names.TrainingFile ?? Placeholder)}" + (names.HeldOutFile is null ? "" : $", \"validation_file\": {Quote(names.HeldOutFile)}");

    private static string Quote(string text) => JsonValue.Create(text).ToJsonString();

    private static JsonObject Parse(string json) => (JsonObject)JsonNode.Parse(json)!;
}
