using System.Text.Json;
using Microsoft.Extensions.Options;
using ToolN1.Api.Contracts;
using ToolN1.Api.Errors;
using ToolN1.Api.Shapes;
using ToolN1.Api.Streaming;
using ToolN1.Training.Evaluation.Harness;
using ToolN1.Training.Evaluation.Jobs;
using ToolN1.Training.Hosting;

namespace ToolN1.Api.Endpoints;

/// <summary>/admin/evaluations: the served model measured on benchmarks, behind live traffic.</summary>
internal sealed class EvaluationEndpoints(EvaluationJobs jobs, IOptions<DataOptions> data, EventStream events)
{
    /// <summary>Starts one.</summary>
    public async Task CreateAsync(HttpContext context)
    {
        using JsonDocument body = await RequestBody.ReadAsync(context, EvaluationShapes.Create);
        EvaluationSpec spec = Bind(body.RootElement);
        await Task.Run(() => RequireData(spec), context.RequestAborted);
        await JsonAnswer.WriteAsync(context, EvaluationBody.Of(jobs.Start(spec)), ApiJsonContext.Relaxed.EvaluationBody);
    }

    /// <summary>All, newest first.</summary>
    public Task ListAsync(HttpContext context) =>
        JsonAnswer.WriteAsync(context, new EvaluationList { Data = [.. jobs.List().Select(EvaluationBody.Of)] }, ApiJsonContext.Relaxed.EvaluationList);

    /// <summary>One.</summary>
    public Task GetAsync(HttpContext context) => JsonAnswer.WriteAsync(context, EvaluationBody.Of(Require(context)), ApiJsonContext.Relaxed.EvaluationBody);

    /// <summary>Its events as they come, until it has ended.</summary>
    public async Task EventsAsync(HttpContext context)
    {
        string id = Require(context).Id;
        await events.WriteAsync(
            context,
            stop => jobs.WatchAsync(id, 0, stop),
            (writer, happened) => writer.WriteAsync(EvaluationEventBody.Of(id, happened), ApiJsonContext.Relaxed.EvaluationEventBody));
    }

    /// <summary>Ends it.</summary>
    public async Task CancelAsync(HttpContext context)
    {
        EvaluationJob job = await jobs.CancelAsync(Require(context).Id, context.RequestAborted) ?? throw NotFound("evaluation", Id(context));
        await JsonAnswer.WriteAsync(context, EvaluationBody.Of(job), ApiJsonContext.Relaxed.EvaluationBody);
    }

    /// <summary>One of its files.</summary>
    public async Task FileAsync(HttpContext context)
    {
        string name = context.GetRouteValue("file") as string ?? "";
        string file = jobs.FindFile(Require(context).Id, name) ?? throw NotFound("file", name);
        context.Response.ContentType = Path.GetExtension(name) switch
        {
            ".json" => "application/json; charset=utf-8",
            ".html" => "text/html; charset=utf-8",
            _ => "text/plain; charset=utf-8",
        };

        // The report's own script and styles, nothing from elsewhere: it shows what a model wrote.
        context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
        await context.Response.SendFileAsync(file, context.RequestAborted);
    }

    private EvaluationSpec Bind(JsonElement request)
    {
        string benchmark = request.String("benchmark")!;
        string? folder = request.String("data");
        if (folder?.Contains('\0', StringComparison.Ordinal) == true)
        {
            throw ApiException.Invalid("data", "Invalid value for 'data': a path has no NUL character.");
        }

        return new EvaluationSpec
        {
            Benchmark = benchmark,
            DataFolder = Path.GetFullPath(folder ?? Path.Combine(data.Value.DataDirectory, "benchmarks", benchmark)),
            Categories = [.. request.Items("categories").Select(category => category.GetString()!)],
            Limit = request.Integer("limit"),
            Mode = request.String("mode") == "native" ? EvaluationMode.Native : EvaluationMode.Parity,
            MaxTokens = request.Integer("max_tokens") ?? EvaluationShapes.DefaultMaxTokens,
            Concurrency = request.Integer("concurrency"),
            FixedRules = request.Boolean("fixed") ?? false,
        };
    }

    private static void RequireData(EvaluationSpec spec)
    {
        HashSet<string> categories;
        try
        {
            categories = (spec with { Categories = [], Limit = 1 }).Load().Select(question => question.Category).ToHashSet(StringComparer.Ordinal);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw ApiException.Invalid("data", $"The benchmark's data cannot be read: {e.Message}", "data_not_readable");
        }

        for (int i = 0; i < spec.Categories.Count; i++)
        {
            if (!categories.Contains(spec.Categories[i]))
            {
                throw ApiException.Invalid($"categories[{i}]", $"The folder has no category '{spec.Categories[i]}'; it has {string.Join(", ", categories)}.");
            }
        }
    }

    private EvaluationJob Require(HttpContext context) => jobs.Find(Id(context)) ?? throw NotFound("evaluation", Id(context));

    private static string Id(HttpContext context) => context.GetRouteValue("evaluation") as string ?? "";

    private static ApiException NotFound(string what, string name) =>
        new(StatusCodes.Status404NotFound, ErrorTypes.InvalidRequest, $"There is no {what} '{name}'.", what, what + "_not_found");
}
