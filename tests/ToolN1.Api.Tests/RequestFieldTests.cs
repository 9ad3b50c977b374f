using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ToolN1.Api.OpenApi;
using ToolN1.Api.Shapes;
using ToolN1.Api.Tests.Support;
using ToolN1.TestSupport;

namespace ToolN1.Api.Tests;

/// <summary>docs/request-fields.md is what the binding code says of itself.</summary>
public sealed class RequestFieldTests
{
    [Fact]
    public void Page_IsWhatTheBindingCodeSays()
    {
        using ApiServer server = new();
        IEnumerable<(string Route, ObjectShape Shape)> requests = server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Select(endpoint => (Route: $"{endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods[0]} {endpoint.RoutePattern.RawText}", Shape: endpoint.Metadata.GetMetadata<OperationDoc>()?.Request!))
            .Where(request => request.Shape is not null);
        string page = RequestFieldTable.Markdown(requests);
        string path = Path.Combine(TestPaths.Root, "docs", "request-fields.md");
        if (Environment.GetEnvironmentVariable("TOOLN1_WRITE_DOCS") == "1")
        {
            File.WriteAllText(path, page);
        }

        Assert.True(File.Exists(path) && File.ReadAllText(path) == page, "docs/request-fields.md is stale: run this test with TOOLN1_WRITE_DOCS=1.");
    }
}
