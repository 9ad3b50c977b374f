using Microsoft.Extensions.Options;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using ToolN1.Api.Auth;
using ToolN1.Api.Contracts;
using ToolN1.Api.Endpoints;
using ToolN1.Api.Endpoints.FineTuning;
using ToolN1.Api.Errors;
using ToolN1.Api.Observability;
using ToolN1.Api.OpenApi;
using ToolN1.Api.Streaming;
using ToolN1.Engine.Hosting;
using ToolN1.Training.Captures;
using ToolN1.Training.Evaluation.Jobs;
using ToolN1.Training.Hosting;
using ToolN1.Training.Jobs.Hosting;

namespace ToolN1.Api;

/// <summary>What the server is made of; <c>Program.cs</c> lists the steps.</summary>
internal static class ServerComposition
{
    /// <summary>What telemetry calls the server, where OTEL_SERVICE_NAME does not say otherwise.</summary>
    private const string ServiceName = "tooln1";

    /// <summary>Where the server listens and keeps its data, what it refuses to start with, how long it drains.</summary>
    public static WebApplicationBuilder AddServer(this WebApplicationBuilder builder)
    {
        if (!LoopbackGuard.ListeningUrls(builder.Configuration).Any())
        {
            // Only where nothing else is configured: settings made in code would win over --urls and ASPNETCORE_URLS.
            builder.WebHost.UseUrls(LoopbackGuard.DefaultUrl);
        }

        builder.AddLogPrivacy();
        builder.Services.AddOptionsWithValidateOnStart<ServerOptions>().BindConfiguration(ServerOptions.Section).ValidateDataAnnotations();
        builder.Services.AddOptionsWithValidateOnStart<DataOptions>().BindConfiguration(DataOptions.SectionName).ValidateDataAnnotations();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.WebHost.ConfigureKestrel((_, kestrel) =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = kestrel.ApplicationServices.GetRequiredService<IOptions<ServerOptions>>().Value.MaxRequestBodyBytes;
        });
        builder.Services.AddOptions<HostOptions>().Configure<IOptions<ServerOptions>>(
            (host, server) => host.ShutdownTimeout = TimeSpan.FromSeconds(server.Value.ShutdownTimeoutSeconds));
        return builder;
    }

    /// <summary>Keys; without any, this machine only.</summary>
    public static WebApplicationBuilder AddAuth(this WebApplicationBuilder builder)
    {
        KeyRing keys = new(AuthOptions.Read(builder.Configuration));
        LoopbackGuard.Require(builder.Configuration, keys);
        builder.Services.AddSingleton(keys);
        return builder;
    }

    /// <summary>The model and the engine that runs it.</summary>
    public static WebApplicationBuilder AddEngine(this WebApplicationBuilder builder)
    {
        builder.Services.AddToolN1Engine(builder.Configuration);
        return builder;
    }

    /// <summary>Evaluations of the served model, which go on after a restart.</summary>
    public static WebApplicationBuilder AddEvaluations(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<EvaluationJobs>();
        builder.Services.AddHostedService(services => services.GetRequiredService<EvaluationJobs>());
        return builder;
    }

    /// <summary>Training jobs, their files, and the models that they make; without an admin key nobody can ask for them.</summary>
    public static WebApplicationBuilder AddTraining(this WebApplicationBuilder builder)
    {
        builder.Services.AddToolN1Training(builder.Configuration, new KeyRing(AuthOptions.Read(builder.Configuration)).HasAdminKeys);
        return builder;
    }

    /// <summary>The routes' handlers.</summary>
    public static WebApplicationBuilder AddEndpoints(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<FailureLog>();
        builder.Services.AddSingleton<EventStream>();
        builder.Services.AddSingleton<ChatGenerator>();
        builder.Services.AddSingleton<RequestOpening>();
        builder.Services.AddSingleton<ChatCompletionEndpoint>();
        builder.Services.AddSingleton<ResponseEndpoint>();
        builder.Services.AddSingleton<CompletionEndpoint>();
        builder.Services.AddSingleton<ModelEndpoints>();
        builder.Services.AddSingleton<TokenizeEndpoints>();
        builder.Services.AddSingleton<HealthEndpoints>();
        builder.Services.AddSingleton<GraderEndpoints>();
        builder.Services.AddSingleton<EvaluationEndpoints>();
        builder.Services.AddSingleton<FileEndpoints>();
        builder.Services.AddSingleton<FineTuningEndpoints>();
        builder.Services.AddSingleton<AdminTrainingEndpoints>();
        builder.Services.AddSingleton<AdminModelEndpoints>();
        builder.Services.AddSingleton<EngineEndpoint>();
        builder.Services.AddSingleton<CaptureTap>();
        builder.Services.AddSingleton<CaptureEndpoints>();
        return builder;
    }

    /// <summary>Metrics for Prometheus, and the probe that finds out when the model answers.</summary>
    public static WebApplicationBuilder AddObservability(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<RequestMetrics>();
        builder.Services.AddSingleton<EngineMetrics>();
        builder.Services.AddSingleton<ReadinessProbe>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ReadinessProbe>());
        // The environment comes last: OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win.
        builder.Services.AddOpenTelemetry().ConfigureResource(resource => resource
            .AddService(ServiceName, serviceVersion: typeof(ServerComposition).Assembly.GetName().Version?.ToString(3), autoGenerateServiceInstanceId: false)
            .AddEnvironmentVariableDetector());
        builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics
            .AddMeter(EngineMetrics.MeterName, RequestMetrics.MeterName, CaptureQueue.MeterName, "System.Runtime", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel")
            .AddPrometheusExporter(exporter => exporter.ScrapeResponseCacheDurationMilliseconds = 0));
        return builder;
    }

    /// <summary>The OpenAPI document.</summary>
    public static WebApplicationBuilder AddDocumentation(this WebApplicationBuilder builder)
    {
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            // The document describes answers by these options: they must be those that write them.
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, ApiJsonContext.Relaxed);
            json.SerializerOptions.PropertyNamingPolicy = ApiJsonContext.Relaxed.Options.PropertyNamingPolicy;
            json.SerializerOptions.NumberHandling = ApiJsonContext.Relaxed.Options.NumberHandling;
        });
        // Who asks for the document decides what its examples name.
        builder.Services.AddHttpContextAccessor();
        builder.Services.AddOpenApi("v1", options =>
        {
            options.AddDocumentTransformer(DocumentTransformers.DescribeDocumentAsync);
            options.AddOperationTransformer(DocumentTransformers.DescribeOperationAsync);
        });
        return builder;
    }

    /// <summary>What every request passes through, outermost first.</summary>
    public static WebApplication UsePipeline(this WebApplication app)
    {
        // Its instruments exist from here on; they are read at /metrics.
        app.Services.GetRequiredService<EngineMetrics>();
        app.UseMiddleware<RequestIdMiddleware>();
        app.UseMiddleware<ErrorMiddleware>();
        app.UseRouting();
        app.UseMiddleware<AuthMiddleware>();
        app.UseSwaggerUI(swagger =>
        {
            swagger.RoutePrefix = "swagger";
            swagger.DocumentTitle = "ToolN1";
            swagger.SwaggerEndpoint("/openapi/v1.json", "ToolN1");
            swagger.EnableTryItOutByDefault();
            swagger.UseRequestInterceptor(SwaggerScripts.SendKeyForDocument);
            swagger.ConfigObject.Plugins = [SwaggerScripts.ReadDocumentAgain];
        });
        return app;
    }

    /// <summary>The routes.</summary>
    public static WebApplication MapRoutes(this WebApplication app)
    {
        app.MapToolN1();
        return app;
    }
}
