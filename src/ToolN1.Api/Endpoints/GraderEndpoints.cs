using System.Text.Json;
using ToolN1.Api.Contracts;
using ToolN1.Api.Errors;
using ToolN1.Api.Shapes;
using ToolN1.Engine.Chat;
using ToolN1.Training.Graders;

namespace ToolN1.Api.Endpoints;

/// <summary>POST /v1/fine_tuning/alpha/graders/run and …/validate.</summary>
internal sealed class GraderEndpoints(IChatFormat format, TimeProvider time)
{
    /// <summary>Scores a sample.</summary>
    public async Task RunAsync(HttpContext context)
    {
        using JsonDocument body = await RequestBody.ReadAsync(context, GraderShapes.Run);
        JsonElement request = body.RootElement;
        Grader grader = Read(request);
        long start = time.GetTimestamp();
        GraderSample sample = new(request.String("model_sample")!, request.Has("item", out JsonElement item) ? item : null, format);
        GraderResult result = grader.Run(sample);
        GraderRunBody answer = new()
        {
            Reward = result.Reward,
            SubRewards = result.SubRewards,
            Metadata = new GraderMetadataBody
            {
                Name = grader.Name,
                Type = grader.Type,
                Errors = GraderErrorsBody.Of(result.Errors),
                ExecutionTime = Math.Round(time.GetElapsedTime(start).TotalSeconds, 6),
                Scores = result.SubRewards.Count > 0 ? result.SubRewards : new Dictionary<string, double> { [grader.Name] = result.Reward },
                Failure = result.Failure,
            },
        };
        await JsonAnswer.WriteAsync(context, answer, ApiJsonContext.Relaxed.GraderRunBody);
    }

    /// <summary>Says whether a grader can be used.</summary>
    public async Task ValidateAsync(HttpContext context)
    {
        using JsonDocument body = await RequestBody.ReadAsync(context, GraderShapes.Validate);
        Read(body.RootElement);
        Dictionary<string, JsonElement> grader = body.RootElement.GetProperty("grader").EnumerateObject().ToDictionary(field => field.Name, field => field.Value);
        await JsonAnswer.WriteAsync(context, new GraderValidateBody { Grader = grader }, ApiJsonContext.Relaxed.GraderValidateBody);
    }

    private static Grader Read(JsonElement request)
    {
        try
        {
            return GraderReader.Read(request.GetProperty("grader"));
        }
        catch (GraderException e)
        {
            throw e.Unsupported ? ApiException.Unsupported(e.Path, e.Message) : ApiException.Invalid(e.Path, $"Invalid value for {e.Message}.");
        }
    }
}
