using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using ToolN1.Api.Auth;
using ToolN1.Api.Contracts;
using ToolN1.Api.Contracts.FineTuning;
using ToolN1.Api.Errors;
using ToolN1.Training.Jobs;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Api.Endpoints.FineTuning;

/// <summary>/v1/files: datasets.</summary>
internal sealed class FileEndpoints(TrainingFiles files, IOptions<ServerOptions> options)
{
    /// <summary>POST: takes in a dataset, or tells the lines that are none.</summary>
    public async Task UploadAsync(HttpContext context)
    {
        long limit = options.Value.MaxUploadBytes;
        if (context.Request.ContentLength > limit)
        {
            throw ErrorWriter.FromStatus(StatusCodes.Status413PayloadTooLarge);
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = limit;
        }

        FileRecord file = await files.AddAsync(
            path => UploadForm.ReceiveAsync(context.Request, path, context.RequestAborted), Caller.Of(context), context.RequestAborted);
        await JsonAnswer.WriteAsync(context, TrainingWire.File(file), ApiJsonContext.Relaxed.FileBody);
    }

    /// <summary>GET: a page.</summary>
    public async Task ListAsync(HttpContext context)
    {
        QueryString query = new(context);
        query.Choice("purpose", "fine-tune", "fine-tune");
        Page<FileRecord> page = await files.ListAsync(query.Text("after"), query.Integer("limit", 1, 10_000, 10_000), query.Choice("order", "desc", "asc", "desc") == "desc");
        FileBody[] data = [.. page.Items.Select(TrainingWire.File)];
        await JsonAnswer.WriteAsync(
            context,
            new FileList { Data = data, HasMore = page.HasMore, FirstId = data.FirstOrDefault()?.Id, LastId = data.LastOrDefault()?.Id },
            ApiJsonContext.Relaxed.FileList);
    }

    /// <summary>GET {id}.</summary>
    public async Task GetAsync(HttpContext context) =>
        await JsonAnswer.WriteAsync(context, TrainingWire.File(await files.GetAsync(Id(context))), ApiJsonContext.Relaxed.FileBody);

    /// <summary>GET {id}/content: the bytes as they came.</summary>
    public async Task ContentAsync(HttpContext context)
    {
        await using FileStream stream = files.Open(await files.GetAsync(Id(context)));
        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = stream.Length;
        await stream.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    /// <summary>DELETE {id}.</summary>
    public async Task DeleteAsync(HttpContext context)
    {
        string id = Id(context);
        await files.DeleteAsync(id, Caller.Of(context));
        await JsonAnswer.WriteAsync(context, new DeletedBody { Id = id, Object = "file" }, ApiJsonContext.Relaxed.DeletedBody);
    }

    private static string Id(HttpContext context) => context.GetRouteValue("id") as string ?? "";
}
