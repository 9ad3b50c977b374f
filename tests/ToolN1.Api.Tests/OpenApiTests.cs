using System.Net;
using System.Text.Json.Nodes;
using ToolN1.Api.Tests.Support;

namespace ToolN1.Api.Tests;

public sealed class OpenApiTests
{
    [Fact]
    public async Task Document_EveryPropertyOfEverySchema_IsDescribed()
    {
        using ApiServer server = new();
        JsonNode document = await DocumentAsync(server);
        JsonObject schemas = document["components"]!["schemas"]!.AsObject();

        List<string> bare = [];
        foreach ((string name, JsonNode? schema) in schemas)
        {
            if (schema!["description"] is null)
            {
                bare.Add(name);
            }

            bare.AddRange((schema["properties"]?.AsObject() ?? []).Where(property => property.Value!["description"] is null).Select(property => name + "." + property.Key));
        }

        Assert.Empty(bare);
        Assert.Contains("ChatCompletionRequest", schemas.Select(pair => pair.Key));
        Assert.Contains("ChatCompletion", schemas.Select(pair => pair.Key));
    }

    [Fact]
    public async Task Document_EveryReference_Resolves()
    {
        using ApiServer server = new();
        JsonNode document = await DocumentAsync(server);

        Assert.All(References(document), reference => Assert.NotNull(reference["#/components/".Length..].Split('/').Aggregate(document["components"], (node, part) => node?[part])));
        Assert.NotEmpty(References(document));
    }

    [Fact]
    public async Task Document_EveryRoute_HasSummaryAnswersAndRefusals()
    {
        using ApiServer server = new();
        JsonObject paths = (await DocumentAsync(server))["paths"]!.AsObject();

        Assert.Equal(
            ["/detokenize", "/health/live", "/health/ready", "/tokenize", "/v1/chat/completions", "/v1/completions", "/v1/models", "/v1/models/{model}"],
            paths.Select(path => path.Key).Order(StringComparer.Ordinal));
        JsonNode parameter = paths["/v1/models/{model}"]!["get"]!["parameters"]!.AsArray().Single()!;
        Assert.Equal(("model", "path"), (parameter["name"]!.GetValue<string>(), parameter["in"]!.GetValue<string>()));
        Assert.NotEmpty(parameter["description"]!.GetValue<string>());
        foreach (JsonNode operation in paths.SelectMany(path => path.Value!.AsObject()).Where(entry => entry.Key is "get" or "post").Select(entry => entry.Value!))
        {
            Assert.NotEmpty(operation["summary"]!.GetValue<string>());
            Assert.NotEmpty(operation["description"]!.GetValue<string>());
            Assert.NotNull(operation["responses"]!["200"]);
            Assert.NotNull(operation["responses"]!["500"]!["content"]!["application/json"]!["schema"]!["$ref"]);
        }
    }

    [Fact]
    public async Task Document_EveryExample_IsAcceptedByTheServer()
    {
        using ApiServer server = new();
        int sent = 0;
        foreach ((string route, JsonNode? path) in (await DocumentAsync(server))["paths"]!.AsObject())
        {
            JsonObject examples = path!["post"]?["requestBody"]?["content"]?["application/json"]?["examples"]?.AsObject() ?? [];
            Assert.True(path["post"] is null || examples.Count > 0, route);
            foreach ((string name, JsonNode? example) in examples)
            {
                using HttpResponseMessage response = await server.PostAsync(route, example!["value"]!.ToJsonString());
                Assert.True(response.StatusCode == HttpStatusCode.OK, $"{route} {name}: {await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}");
                sent++;
            }
        }

        Assert.True(sent >= 9);
    }

    [Fact]
    public async Task SwaggerUi_Page_LoadsTheDocument()
    {
        using ApiServer server = new();
        using HttpResponseMessage page = await server.Client.GetAsync("/swagger", TestContext.Current.CancellationToken);
        string script = await server.Client.GetStringAsync("/swagger/index.js", TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Contains("/openapi/v1.json", script, StringComparison.Ordinal);
    }

    private static async Task<JsonNode> DocumentAsync(ApiServer server) =>
        JsonNode.Parse(await server.Client.GetStringAsync("/openapi/v1.json", TestContext.Current.CancellationToken))!;

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject value => value.SelectMany(pair => pair.Key == "$ref" ? [pair.Value!.GetValue<string>()] : References(pair.Value)),
        JsonArray array => array.SelectMany(References),
        _ => [],
    };
}
