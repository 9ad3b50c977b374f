using ToolN1.Api.Errors;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Constraints;

namespace ToolN1.Api.Contracts;

/// <summary>Where a request's conversation and its JSON schemas stand.</summary>
/// <param name="Conversation">What the model is told.</param>
/// <param name="Tools">The array that offers tools.</param>
/// <param name="Parameters">From an element of it to its schema.</param>
/// <param name="Format">The schema of the answer's text.</param>
internal sealed record RequestPaths(string Conversation, string Tools, string Parameters, string Format)
{
    /// <summary>Of a chat completion.</summary>
    public static RequestPaths Chat { get; } = new("messages", "tools", ".function.parameters", "response_format.json_schema.schema");

    /// <summary>Of a chat completion in OpenAI's older form.</summary>
    public static RequestPaths Functions { get; } = Chat with { Tools = "functions", Parameters = ".parameters" };

    /// <summary>Of a response.</summary>
    public static RequestPaths Responses { get; } = new("input", "tools", ".parameters", "text.format.schema");

    /// <summary>400: a schema cannot be enforced; says which and where in it.</summary>
    public ApiException Refusal(ConstraintException exception, IReadOnlyList<ChatTool> tools)
    {
        int tool = tools.TakeWhile(offered => offered.Name != exception.Tool).Count();
        string param = exception.Tool is null ? Format : $"{Tools}[{tool}]{Parameters}";
        string place = exception.Pointer.Length == 0 ? "" : $" at '{exception.Pointer}'";
        return ApiException.Invalid(
            param, $"Invalid schema in '{param}'{place}: {exception.Reason.TrimEnd('.')}.", exception.Tool is null ? "invalid_json_schema" : "invalid_function_parameters");
    }

    /// <summary>400: prompt and answer do not fit the model's length.</summary>
    public ApiException Refusal(ContextLengthExceededException exception) =>
        ApiException.ContextLengthExceeded(exception.PromptTokens, exception.RequestedTokens, exception.MaxModelLength, Conversation);
}
