using System.Text;
using System.Text.Json;
using ToolN1.Api.Errors;
using ToolN1.Api.Shapes;
using ToolN1.Engine;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Sampling;

namespace ToolN1.Api.Contracts;

/// <summary>Maps a checked chat request to the engine's terms, and holds the rules that span several fields.</summary>
internal static class ChatBinder
{
    private const string NeedsConstraints = "It needs constrained decoding, which this version does not have.";

    /// <summary>Maps a request that <see cref="ChatCompletionShape"/> has checked.</summary>
    /// <exception cref="ApiException">400 or 404 naming the field.</exception>
    public static ChatCall Bind(JsonElement request, ModelInfo model)
    {
        RequireModel(request, model);
        IReadOnlyList<ChatTool> tools = OfferedTools(request);
        int? maxNewTokens = MaxNewTokens(request);
        bool withLogProbs = request.Boolean("logprobs") ?? false;
        int? topLogProbs = request.Integer("top_logprobs");
        if (topLogProbs is not null && !withLogProbs)
        {
            throw ApiException.Invalid("top_logprobs", "'top_logprobs' needs 'logprobs' to be true.");
        }

        SamplingParameters sampling = SamplingBinder.Bind(request, model, maxNewTokens);
        ChatRequest chat = new()
        {
            RequestId = "",
            Messages = Messages(request),
            Tools = tools,
            MaxNewTokens = maxNewTokens,
            Stop = SamplingBinder.Stop(request),
            Sampling = withLogProbs ? sampling with { TopLogProbs = topLogProbs ?? 0 } : sampling,
        };
        return new ChatCall(chat, request.Integer("n") ?? 1, DeliveryOf(request), withLogProbs);
    }

    /// <summary>Refuses a model that is not served.</summary>
    public static void RequireModel(JsonElement request, ModelInfo model)
    {
        if (request.String("model") is string name && name != model.Name)
        {
            throw ApiException.ModelNotFound(name);
        }
    }

    /// <summary>Reads <c>stream</c> and <c>stream_options</c>.</summary>
    public static Delivery DeliveryOf(JsonElement request)
    {
        bool stream = request.Boolean("stream") ?? false;
        bool hasOptions = request.Has("stream_options", out JsonElement options);
        if (hasOptions && !stream)
        {
            throw ApiException.Invalid("stream_options", "'stream_options' is only allowed when 'stream' is true.");
        }

        return new Delivery(stream, hasOptions && (options.Boolean("include_usage") ?? false));
    }

    /// <summary>The conversation.</summary>
    /// <exception cref="ApiException">400 naming the message.</exception>
    public static IReadOnlyList<ChatMessage> Messages(JsonElement request)
    {
        List<ChatMessage> messages = [];
        HashSet<string> callIds = new(StringComparer.Ordinal);
        foreach (JsonElement item in request.Items("messages"))
        {
            FieldPath path = FieldPath.Root.Field("messages").Item(messages.Count);
            ChatMessage message = item.String("role") switch
            {
                "system" or "developer" => new ChatMessage { Role = ChatRole.System, Content = Content(item) },
                "user" => new ChatMessage { Role = ChatRole.User, Content = Content(item) },
                "assistant" => AssistantMessage(item, path, callIds),
                _ => ToolMessage(item, path, callIds),
            };
            messages.Add(message);
        }

        return messages;
    }

    /// <summary>The tools, in the caller's order.</summary>
    /// <exception cref="ApiException">400 naming the tool.</exception>
    public static IReadOnlyList<ChatTool> Tools(JsonElement request)
    {
        List<ChatTool> tools = [];
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (JsonElement item in request.Items("tools"))
        {
            JsonElement function = item.GetProperty("function");
            string name = function.String("name")!;
            if (!names.Add(name))
            {
                string param = $"tools[{tools.Count}].function.name";
                throw ApiException.Invalid(param, $"Invalid value for '{param}': there are two tools named '{name}'.");
            }

            tools.Add(new ChatTool(name, FunctionJson(function)));
        }

        return tools;
    }

    private static IReadOnlyList<ChatTool> OfferedTools(JsonElement request)
    {
        IReadOnlyList<ChatTool> tools = Tools(request);
        if (request.Has("tool_choice", out JsonElement choice))
        {
            string? mode = choice.ValueKind == JsonValueKind.String ? choice.GetString() : null;
            if (mode is null or "required")
            {
                throw ApiException.Unsupported("tool_choice", $"Unsupported value for 'tool_choice': only 'auto' and 'none' for now. {NeedsConstraints}");
            }

            tools = mode == "none" ? [] : tools;
        }

        if (tools.Count > 0 && request.Boolean("parallel_tool_calls") == false)
        {
            throw ApiException.Unsupported("parallel_tool_calls", $"Unsupported value for 'parallel_tool_calls': only true for now. {NeedsConstraints}");
        }

        return tools;
    }

    private static int? MaxNewTokens(JsonElement request)
    {
        int? newer = request.Integer("max_completion_tokens");
        int? older = request.Integer("max_tokens");
        return newer is not null && older is not null
            ? throw ApiException.Invalid("max_tokens", "'max_tokens' and 'max_completion_tokens' cannot be given together.")
            : newer ?? older;
    }

    private static ChatMessage AssistantMessage(JsonElement item, FieldPath path, HashSet<string> callIds)
    {
        List<ToolCall> calls = [];
        foreach (JsonElement call in item.Items("tool_calls"))
        {
            FieldPath place = path.Field("tool_calls").Item(calls.Count);
            string id = call.String("id")!;
            if (!callIds.Add(id))
            {
                string param = place.Field("id").ToString();
                throw ApiException.Invalid(param, $"Invalid value for '{param}': another call of the conversation has the same id.");
            }

            JsonElement function = call.GetProperty("function");
            string arguments = Arguments(function.String("arguments")!, place.Field("function").Field("arguments"));
            calls.Add(new ToolCall(id, function.String("name")!, arguments));
        }

        string? content = item.Has("content", out _) ? Content(item) : null;
        return content is null && calls.Count == 0
            ? throw ApiException.Invalid(path.Field("content").ToParam(), $"'{path}' needs 'content' or 'tool_calls'.", "missing_required_parameter")
            : new ChatMessage { Role = ChatRole.Assistant, Content = content, ToolCalls = calls };
    }

    private static ChatMessage ToolMessage(JsonElement item, FieldPath path, HashSet<string> callIds)
    {
        string id = item.String("tool_call_id")!;
        if (!callIds.Contains(id))
        {
            string param = path.Field("tool_call_id").ToString();
            throw ApiException.Invalid(param, $"Invalid value for '{param}': no earlier assistant message has a call with the id '{id}'.");
        }

        return new ChatMessage { Role = ChatRole.Tool, Content = Content(item), ToolCallId = id };
    }

    private static string Content(JsonElement message)
    {
        JsonElement content = message.GetProperty("content");
        return content.ValueKind == JsonValueKind.String
            ? content.GetString()!
            : string.Concat(content.EnumerateArray().Select(part => part.String("text")));
    }

    private static string Arguments(string text, FieldPath path)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return "{}";
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                JsonText.Check(document.RootElement, path, allowDuplicates: true);
                return text;
            }
        }
        catch (JsonException)
        {
            // Answered below: the position within the text would say little.
        }

        throw ApiException.Invalid(path.ToParam(), $"Invalid value for '{path}': it must be the text of a JSON object.");
    }

    private static string FunctionJson(JsonElement function)
    {
        // The model was trained on name, description and parameters: "strict" is not for its eyes, nor are nulls.
        StringBuilder json = new("{");
        foreach (JsonProperty property in function.EnumerateObject())
        {
            if (property.Name != "strict" && property.Value.ValueKind != JsonValueKind.Null)
            {
                json.Append(json.Length > 1 ? "," : "").Append('"').Append(property.Name).Append("\":").Append(property.Value.GetRawText());
            }
        }

        return json.Append('}').ToString();
    }
}
