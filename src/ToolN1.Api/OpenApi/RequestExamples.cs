using System.Text.Json.Nodes;

namespace ToolN1.Api.OpenApi;

/// <summary>The example requests of the API's documentation. Tests send every one of them.</summary>
internal static class RequestExamples
{
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

    private static string Quote(string model) => JsonValue.Create(model).ToJsonString();

    private static JsonObject Parse(string json) => (JsonObject)JsonNode.Parse(json)!;
}
