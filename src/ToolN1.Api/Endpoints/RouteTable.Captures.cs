using ToolN1.Api.Auth;
using ToolN1.Api.Contracts.Captures;
using ToolN1.Api.Contracts.FineTuning;
using ToolN1.Api.OpenApi;

namespace ToolN1.Api.Endpoints;

internal static partial class RouteTable
{
    private static readonly (string Name, string Description)[] CaptureId = [("id", "The capture's id.")];

    private static void MapCaptures(IEndpointRouteBuilder routes)
    {
        const string Captures = "/admin/captures";
        (string, string) tool = ("tool", "Only those that call this tool, or whose correction does.");
        (string, string) tenant = ("tenant", "Only those of this tenant.");
        AdminGet<CaptureEndpoints>(routes, Captures, endpoint => endpoint.ListAsync, new OperationDoc(
            "List captured answers", "Newest first. With the server's option `ToolN1:Captures:Enabled`, requests and their answers are kept, redacted, until a person reviews them.")
        {
            QueryParameters = [After, Limit, ("status", "`pending`, `confirmed`, `corrected` or `rejected`."), tool, tenant],
            Response = typeof(CaptureList),
            Refusals = AdminReadRefusals,
        });
        AdminPost<CaptureEndpoints>(routes, Captures + "/export", endpoint => endpoint.ExportAsync, new OperationDoc(
            "Make a training file of reviewed captures", "Each that was confirmed or corrected becomes a row, oldest first; no other ever does. The file is one of `/v1/files`.")
        {
            Request = CaptureShapes.Export,
            Examples = _ => RequestExamples.CaptureExport,
            Response = typeof(FileBody),
            Refusals = AdminWriteRefusals,
        });
        AdminGet<CaptureEndpoints>(routes, Captures + "/{id}", endpoint => endpoint.GetAsync, new OperationDoc("Read a captured answer", "With its conversation, redacted.")
        {
            RouteParameters = CaptureId,
            Response = typeof(CaptureBody),
            Refusals = AdminReadRefusals,
        });
        AdminPost<CaptureEndpoints>(routes, Captures + "/{id}/confirm", endpoint => endpoint.ConfirmAsync, new OperationDoc(
            "Confirm a captured answer", "Its calls were right. They must follow their tools' schemas, and the answer must have come to its end.")
        {
            RouteParameters = CaptureId,
            Response = typeof(CaptureBody),
            Refusals = [.. AdminReadRefusals, 409],
        });
        AdminPost<CaptureEndpoints>(routes, Captures + "/{id}/correct", endpoint => endpoint.CorrectAsync, new OperationDoc(
            "Correct a captured answer", "Says which calls would have been right; they must follow the schemas of the tools that the request offered.")
        {
            RouteParameters = CaptureId,
            Request = CaptureShapes.Correct,
            Examples = _ => RequestExamples.CaptureCorrection,
            Response = typeof(CaptureBody),
            Refusals = AdminWriteRefusals,
        });
        AdminPost<CaptureEndpoints>(routes, Captures + "/{id}/reject", endpoint => endpoint.RejectAsync, new OperationDoc("Reject a captured answer", "It is of no use, and is among the first to go when there are too many.")
        {
            RouteParameters = CaptureId,
            Response = typeof(CaptureBody),
            Refusals = AdminReadRefusals,
        });
        Map<CaptureEndpoints>(routes, HttpMethods.Delete, Captures + "/{id}", endpoint => endpoint.DeleteAsync, Access.AdminKey, new OperationDoc(
            "Delete a captured answer", "Files that it was exported to keep its row.")
        {
            RouteParameters = CaptureId,
            Response = typeof(DeletedBody),
            Refusals = AdminReadRefusals,
        });
    }
}
