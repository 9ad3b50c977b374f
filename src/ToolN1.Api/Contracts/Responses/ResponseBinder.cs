using System.Text.Json;
using ToolN1.Api.Errors;
using ToolN1.Api.Shapes;
using ToolN1.Engine;
using ToolN1.Engine.Chat;

namespace ToolN1.Api.Contracts.Responses;

/// <summary>Maps a checked response request to the engine's terms.</summary>
internal static class ResponseBinder
{
    /// <summary>Maps a request that <see cref="ResponseShape"/> has checked.</summary>
    /// <param name="request">The request.</param>
    /// <param name="model">The served model.</param>
    /// <param name="options">How conversations are served.</param>
    /// <param name="tenant">Who asks, as far as the prefix cache is concerned (<see cref="Auth.Tenant"/>).</param>
    /// <exception cref="ApiException">400 or 404 naming the field.</exception>
    public static ResponseCall Bind(JsonElement request, ModelInfo model, ChatServingOptions options, string? tenant)
    {
        bool stream = request.Boolean("stream") ?? false;
        if (!stream && request.Has("stream_options", out _))
        {
            throw ApiException.Invalid("stream_options", "'stream_options' is only allowed when 'stream' is true.");
        }

        int? maxNewTokens = request.Integer("max_output_tokens");
        HashSet<string> lenient = [.. request.Items("tools").Where(tool => tool.Boolean("strict") is null).Select(tool => tool.String("name")!)];
        ChatTool[] tools = [.. ToolBinder.Distinct("tools", "", request.Items("tools")).Select(tool => tool with { IsStrict = tool.IsStrict || lenient.Contains(tool.Name) })];
        bool hasReasoning = request.Has("reasoning", out JsonElement reasoning);
        string? effort = hasReasoning ? reasoning.String("effort") : null;
        bool withSummary = hasReasoning && (reasoning.String("summary") ?? reasoning.String("generate_summary")) is not null;
        ChatRequest chat = new()
        {
            RequestId = "",
            Messages = new ResponseInput(options.KeepReasoning).Messages(request),
            Tools = tools,
            ToolChoice = Choice(request, tools),
            ParallelToolCalls = request.Boolean("parallel_tool_calls") ?? true,
            ResponseFormat = Format(request),
            ThinkingTokens = effort is null ? null : options.ThinkingTokens(effort),
            AnswersInWords = options.AnswerInWords,
            MaxNewTokens = maxNewTokens,
            Sampling = SamplingBinder.Bind(request, model, maxNewTokens),
            CacheSalt = SamplingBinder.CacheSalt(request, tenant),
        };
        return new ResponseCall(chat, stream, lenient, withSummary, request.Clone());
    }

    private static ToolChoice Choice(JsonElement request, ChatTool[] tools) =>
        !request.Has("tool_choice", out JsonElement choice) ? new ToolChoice.Auto()
        : choice.ValueKind == JsonValueKind.String ? ToolBinder.Mode(choice.GetString()!, "tool_choice", "tools", tools)
        : choice.String("type") == "function" ? ToolBinder.Named(choice.String("name")!, "tool_choice.name", "tools", tools)
        : ToolBinder.Allowed(choice, tool => tool.String("name")!, place => $"tool_choice.tools[{place}].name", tools);

    private static ResponseFormat Format(JsonElement request)
    {
        if (!request.Has("text", out JsonElement text) || !text.Has("format", out JsonElement format))
        {
            return new ResponseFormat.Text();
        }

        return format.String("type") switch
        {
            "json_object" => new ResponseFormat.JsonObject(),
            "json_schema" => ResponseFormatBinder.Schema(format, "text.format.schema"),
            _ => new ResponseFormat.Text(),
        };
    }
}
