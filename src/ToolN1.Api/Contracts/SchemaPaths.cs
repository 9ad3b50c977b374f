using ToolN1.Api.Errors;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Constraints;

namespace ToolN1.Api.Contracts;

/// <summary>Where the JSON schemas of a request stand.</summary>
/// <param name="Tools">The array that offers tools.</param>
/// <param name="Parameters">From an element of it to its schema.</param>
/// <param name="Format">The schema of the answer's text.</param>
internal sealed record SchemaPaths(string Tools, string Parameters, string Format)
{
    /// <summary>Of a chat completion.</summary>
    public static SchemaPaths Chat { get; } = new("tools", ".function.parameters", "response_format.json_schema.schema");

    /// <summary>Of a chat completion in OpenAI's older form.</summary>
    public static SchemaPaths Functions { get; } = Chat with { Tools = "functions", Parameters = ".parameters" };

    /// <summary>Of a response.</summary>
    public static SchemaPaths Responses { get; } = new("tools", ".parameters", "text.format.schema");

    /// <summary>400: a schema cannot be enforced; says which and where in it.</summary>
    public ApiException Refusal(ConstraintException exception, IReadOnlyList<ChatTool> tools)
    {
        int tool = tools.TakeWhile(offered => offered.Name != exception.Tool).Count();
        string param = exception.Tool is null ? Format : $"{Tools}[{tool}]{Parameters}";
        string place = exception.Pointer.Length == 0 ? "" : $" at '{exception.Pointer}'";
        return ApiException.Invalid(
            param, $"Invalid schema in '{param}'{place}: {exception.Reason.TrimEnd('.')}.", exception.Tool is null ? "invalid_json_schema" : "invalid_function_parameters");
    }
}
