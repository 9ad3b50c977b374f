using System.Text.Json;
using ToolN1.Api.Errors;
using ToolN1.Api.Shapes;
using ToolN1.Training.Jobs;

namespace ToolN1.Api.Contracts.FineTuning;

/// <summary>Binds the request for a job, whose shape is checked.</summary>
internal static class JobRequests
{
    private static readonly HashSet<string> TopLevel = ["model", "training_file", "validation_file", "method", "method.type"];

    /// <summary>The job that a request asks for.</summary>
    /// <exception cref="ApiException">400: the hyperparameters stand in two places.</exception>
    public static JobRequest Bind(JsonElement request)
    {
        bool hasMethod = request.Has("method", out JsonElement method);
        if (hasMethod && request.Has("hyperparameters", out _))
        {
            throw ApiException.Invalid("hyperparameters", "'hyperparameters' is the older place of 'method.supervised.hyperparameters'; give one of them.");
        }

        string type = MethodOf(request);
        return new JobRequest
        {
            Model = request.String("model")!,
            TrainingFile = request.String("training_file")!,
            ValidationFile = request.String("validation_file"),
            Method = type,
            Settings = hasMethod ? (method.Has(type, out JsonElement own) ? own : default) : request,
            Seed = request.Integer("seed"),
            Suffix = request.String("suffix"),
            Metadata = request.Has("metadata", out JsonElement metadata) ? metadata.GetRawText() : "{}",
        };
    }

    /// <summary>Does what a request asks; a refusal of one of the method's fields names its whole path.</summary>
    public static async Task<T> NamingFieldsAsync<T>(JsonElement request, Func<Task<T>> act)
    {
        try
        {
            return await act();
        }
        catch (TrainingRefusedException refused) when (refused.Field is string field && !TopLevel.Contains(field))
        {
            string method = request.Has("method", out _) ? $"method.{MethodOf(request)}." : "";
            string path = field == "grader" || field.StartsWith("grader.", StringComparison.Ordinal) ? method + field : $"{method}hyperparameters.{field}";
            throw new TrainingRefusedException(refused.Message, path, refused.Code) { IsConflict = refused.IsConflict, IsNotFound = refused.IsNotFound };
        }
    }

    private static string MethodOf(JsonElement request) => request.Has("method", out JsonElement method) ? method.String("type")! : "supervised";
}
