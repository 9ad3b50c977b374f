using System.Text.Json;
using Microsoft.Extensions.Options;
using ToolN1.Engine.Constraints;
using ToolN1.Engine.Hosting;

namespace ToolN1.Engine.Chat;

/// <summary>What a chat request demands of its answer, as a constraint. Thread-safe.</summary>
/// <param name="compiler">The served model's compiler.</param>
/// <param name="options">The default thinking budget, and when calls are constrained under <c>auto</c>.</param>
public sealed class ChatConstraints(ConstraintCompiler compiler, IOptions<EngineOptions> options)
{
    private readonly int _defaultThinking = options.Value.ThinkingTokens;
    private readonly bool _always = options.Value.ConstrainCalls == EngineOptions.ConstrainAlways;

    /// <summary>The tools that the model is shown.</summary>
    public static IReadOnlyList<ChatTool> Shown(ChatRequest request) => request.ToolChoice is ToolChoice.None ? [] : request.Tools;

    /// <summary>Compiles the constraint; null when the request demands nothing. Takes up to the compile budget.</summary>
    /// <exception cref="ArgumentException">The choice names a tool that is not offered, or demands a call where none is.</exception>
    /// <exception cref="ConstraintException">A schema cannot be enforced, or compiling it goes over the budget.</exception>
    public AnswerConstraint? Compile(ChatRequest request)
    {
        if (request.MustWrite)
        {
            return compiler.Words();
        }

        IReadOnlyList<ChatTool> callable = Callable(request);
        bool mustCall = request.ToolChoice is ToolChoice.Required or ToolChoice.Function or ToolChoice.Allowed { IsRequired: true };
        if (mustCall)
        {
            return compiler.RequireCalls(Constrained(callable, enforceAll: true), request.ParallelToolCalls, request.ThinkingTokens ?? _defaultThinking);
        }

        ConstrainedTool[] tools = Constrained(callable, _always);
        int thinking = request.ThinkingTokens ?? _defaultThinking;
        switch (request.ResponseFormat)
        {
            case ResponseFormat.JsonObject:
                return compiler.Json(null, tools, request.ParallelToolCalls, thinking);
            case ResponseFormat.JsonSchema format:
                return Json(format, tools, request.ParallelToolCalls, thinking);
        }

        bool limitsCalls = request.ToolChoice is ToolChoice.Allowed || (!request.ParallelToolCalls && tools.Length > 0);
        return limitsCalls || Array.Exists(tools, tool => tool.Enforced)
            ? compiler.AllowCalls(tools, request.ParallelToolCalls, thinking)
            : request.ThinkingTokens is { } budget ? compiler.FreeText(budget) : null;
    }

    private AnswerConstraint Json(ResponseFormat.JsonSchema format, ConstrainedTool[] tools, bool isParallel, int thinking)
    {
        try
        {
            return compiler.Json(format.SchemaJson, tools, isParallel, thinking);
        }
        catch (ConstraintException exception) when (!format.IsStrict && exception.Tool is null)
        {
            return compiler.AnyJson(tools, isParallel, thinking);
        }
    }

    private static IReadOnlyList<ChatTool> Callable(ChatRequest request)
    {
        IReadOnlyList<string>? names = request.ToolChoice switch
        {
            ToolChoice.Function function => [function.Name],
            ToolChoice.Allowed allowed => allowed.Names,
            _ => null,
        };
        if (names is null)
        {
            return request.ToolChoice is ToolChoice.Required && request.Tools.Count == 0
                ? throw new ArgumentException("A call is required, but no tool is offered.", nameof(request))
                : Shown(request);
        }

        if (names.Count == 0)
        {
            throw new ArgumentException("The tool choice allows no tool.", nameof(request));
        }

        foreach (string name in names)
        {
            if (request.Tools.All(tool => tool.Name != name))
            {
                throw new ArgumentException($"The tool choice names '{name}', which is not among the tools.", nameof(request));
            }
        }

        return [.. request.Tools.Where(tool => names.Contains(tool.Name))];
    }

    private static ConstrainedTool[] Constrained(IReadOnlyList<ChatTool> tools, bool enforceAll) =>
        [.. tools.Select(tool => new ConstrainedTool(tool.Name, Parameters(tool), enforceAll || tool.IsStrict))];

    private static string? Parameters(ChatTool tool)
    {
        using JsonDocument function = JsonDocument.Parse(tool.FunctionJson, new JsonDocumentOptions { MaxDepth = 1000 });
        return function.RootElement.TryGetProperty("parameters", out JsonElement parameters) ? parameters.GetRawText() : null;
    }
}
