using ToolN1.Api.Contracts;
using ToolN1.Api.Errors;
using ToolN1.Api.Observability;

namespace ToolN1.Api.Endpoints;

/// <summary>GET /health/live and /health/ready.</summary>
internal sealed class HealthEndpoints(ReadinessProbe readiness)
{
    /// <summary>The process answers.</summary>
    public Task LiveAsync(HttpContext context) =>
        JsonAnswer.WriteAsync(context, new HealthBody { Status = "live" }, ApiJsonContext.Relaxed.HealthBody);

    /// <summary>The model has answered, and the server is not stopping; else 503.</summary>
    public Task ReadyAsync(HttpContext context) => readiness.IsReady
        ? JsonAnswer.WriteAsync(context, new HealthBody { Status = "ready" }, ApiJsonContext.Relaxed.HealthBody)
        : throw new ApiException(StatusCodes.Status503ServiceUnavailable, ErrorTypes.Server, "The model does not answer yet, or the server is stopping.", code: "not_ready");
}
