using System.Text;
using System.Text.Json;
using ToolN1.Api.Errors;
using ToolN1.Api.Shapes;
using ToolN1.Engine.Chat;

namespace ToolN1.Api.Contracts;

/// <summary>Maps the checked tools of a request, and the choice among them, to the engine's terms.</summary>
internal static class ToolBinder
{
    /// <summary>The tools, in the caller's order.</summary>
    /// <exception cref="ApiException">400 naming the tool.</exception>
    public static IReadOnlyList<ChatTool> Tools(JsonElement request) => Distinct("tools", ".function", request.Items("tools").Select(tool => tool.GetProperty("function")));

    /// <summary>The functions of OpenAI's older form.</summary>
    /// <exception cref="ApiException">400 naming the function.</exception>
    public static IReadOnlyList<ChatTool> Functions(JsonElement request) => Distinct("functions", "", request.Items("functions"));

    /// <summary>Function objects as tools.</summary>
    /// <param name="field">The array that holds them, for errors.</param>
    /// <param name="inner">The path from an element to its function object, for errors.</param>
    /// <param name="functions">The function objects.</param>
    /// <exception cref="ApiException">400: two share a name.</exception>
    public static IReadOnlyList<ChatTool> Distinct(string field, string inner, IEnumerable<JsonElement> functions)
    {
        List<ChatTool> tools = [];
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (JsonElement function in functions)
        {
            string name = function.String("name")!;
            if (!names.Add(name))
            {
                string param = $"{field}[{tools.Count}]{inner}.name";
                throw ApiException.Invalid(param, $"Invalid value for '{param}': there are two tools named '{name}'.");
            }

            tools.Add(new ChatTool(name, FunctionJson(function), function.Boolean("strict") ?? false));
        }

        return tools;
    }

    /// <summary>The choice of a chat completion.</summary>
    /// <exception cref="ApiException">400: it names a tool that is not offered, or demands a call where none is.</exception>
    public static ToolChoice Choice(JsonElement request, IReadOnlyList<ChatTool> tools)
    {
        if (!request.Has("tool_choice", out JsonElement choice))
        {
            return new ToolChoice.Auto();
        }

        if (choice.ValueKind == JsonValueKind.String)
        {
            return Mode(choice.GetString()!, "tool_choice", "tools", tools);
        }

        if (choice.String("type") == "function")
        {
            return Named(choice.GetProperty("function").String("name")!, "tool_choice.function.name", "tools", tools);
        }

        JsonElement allowed = choice.GetProperty("allowed_tools");
        return Allowed(
            allowed,
            tool => tool.GetProperty("function").String("name")!,
            place => $"tool_choice.allowed_tools.tools[{place}].function.name",
            tools);
    }

    /// <summary>The choice of OpenAI's older form.</summary>
    /// <exception cref="ApiException">400: it names a function that is not offered.</exception>
    public static ToolChoice FunctionCall(JsonElement request, IReadOnlyList<ChatTool> functions) =>
        !request.Has("function_call", out JsonElement choice) ? new ToolChoice.Auto()
        : choice.ValueKind == JsonValueKind.String ? Mode(choice.GetString()!, "function_call", "functions", functions)
        : Named(choice.String("name")!, "function_call.name", "functions", functions);

    /// <summary>A choice by its word.</summary>
    /// <exception cref="ApiException">400: it demands a call where no tool is offered.</exception>
    public static ToolChoice Mode(string mode, string param, string offered, IReadOnlyList<ChatTool> tools) => mode switch
    {
        "none" => new ToolChoice.None(),
        "required" when tools.Count == 0 => throw ApiException.Invalid(param, $"'{param}' demands a call, but there are no '{offered}'."),
        "required" => new ToolChoice.Required(),
        _ => new ToolChoice.Auto(),
    };

    /// <summary>A choice of one tool.</summary>
    /// <exception cref="ApiException">400: it is not offered.</exception>
    public static ToolChoice Named(string name, string param, string offered, IReadOnlyList<ChatTool> tools) =>
        new ToolChoice.Function(Offered(name, param, offered, tools));

    /// <summary>A choice of some tools.</summary>
    /// <param name="allowed">Holds <c>mode</c> and <c>tools</c>.</param>
    /// <param name="nameOf">The name that an element of its <c>tools</c> holds.</param>
    /// <param name="paramOf">The path of that name.</param>
    /// <param name="tools">The tools on offer.</param>
    /// <exception cref="ApiException">400: one is not offered.</exception>
    public static ToolChoice Allowed(JsonElement allowed, Func<JsonElement, string> nameOf, Func<int, string> paramOf, IReadOnlyList<ChatTool> tools)
    {
        string[] names = [.. allowed.Items("tools").Select((tool, place) => Offered(nameOf(tool), paramOf(place), "tools", tools)).Distinct(StringComparer.Ordinal)];
        return new ToolChoice.Allowed(names, allowed.String("mode") == "required");
    }

    private static string Offered(string name, string param, string offered, IReadOnlyList<ChatTool> tools) => tools.Any(tool => tool.Name == name)
        ? name
        : throw ApiException.Invalid(param, $"Invalid value for '{param}': '{name}' is not among the '{offered}'.");

    private static string FunctionJson(JsonElement function)
    {
        // The model was trained on name, description and parameters, in this order, whatever a client's serializer makes of it: then clients
        // share cached prompts too. "strict" and "type" are not for its eyes, nor are nulls.
        StringBuilder json = new("{");
        foreach (JsonProperty property in function.EnumerateObject().OrderBy(property => property.Name switch { "name" => 0, "description" => 1, "parameters" => 2, _ => 3 }))
        {
            if (property.Name is not ("strict" or "type") && property.Value.ValueKind != JsonValueKind.Null)
            {
                json.Append(json.Length > 1 ? "," : "").Append('"').Append(property.Name).Append("\":").Append(property.Value.GetRawText());
            }
        }

        return json.Append('}').ToString();
    }
}
