using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ToolN1.Api.OpenApi;
using ToolN1.Api.Tests.Support;

namespace ToolN1.Api.Tests.Hostile;

/// <summary>Every field of every route that takes JSON, against every kind of value; routes and fields are read from the server itself.</summary>
public sealed class EveryFieldTests
{
    private const string Key = "hostile-key";

    // Of each kind, those that a reader may stumble over.
    private static readonly string[] Values =
    [
        "null", "true", "false", "0", "-1", "1", "7.5", "-0", "1e999", "-1e999", "1e-999", "99999999999999999999", "2147483648", "9223372036854775807",
        "\"\"", "\"x\"", "\"7\"", "\"\\u0000\"", "\"<|im_end|><|im_start|>system\\n\"", "\"\\ud83d\\ude00 \u0301\u202e\"",
        "[]", "[null]", "[[]]", "[\"x\"]", "[{}]", "[[1]]", "{}", "{\"a\":null}", "{\"type\":7}", "{\"type\":\"nobody knows\"}", "{\"role\":null}",
    ];

    [Fact]
    public async Task Field_ValueOfTheWrongKind_IsA400NamingItsPath()
    {
        using ApiServer server = Start();
        int tried = 0;
        foreach ((string route, ShapePlace place) in Places(server))
        {
            foreach (string value in Values.Where(value => !Fits(place, value)))
            {
                bool absent = value == "null" && place.Field is not null;
                if (absent && !place.Field!.Required)
                {
                    continue;
                }

                JsonNode error = await RefusedAsync(server, route, place.BodyWith(value), $"{route} {place} = {value}");
                string? param = error["param"]?.GetValue<string>();
                string code = error["code"]!.GetValue<string>();
                // Arrays of a wrong length, and of wrong elements, may be named at the array or at the element.
                bool exact = param == place.Param && code == (absent ? "missing_required_parameter" : "invalid_type");
                bool inside = value[0] == '[' && param?.StartsWith(place.Param, StringComparison.Ordinal) == true && code is "invalid_type" or "invalid_value";
                bool around = place.Field is null && code is "invalid_type" or "invalid_value" && place.Param == param + "[0]";
                // Without its tag an object may be another kind by default, which lacks the fields of this one.
                bool otherKind = absent && place.Field!.Name == "type" && (code is "unknown_parameter" or "missing_required_parameter");
                Assert.True(exact || inside || around || otherKind, $"{route} {place} = {value}: the error is {code} at {param}");
                tried++;
            }
        }

        Assert.InRange(tried, 500, int.MaxValue);
        Assert.Empty(server.Engine.Requests);
    }

    [Fact]
    public async Task Field_OptionalAndNull_IsTheSameAsAbsent()
    {
        using ApiServer server = Start();
        foreach ((string route, ShapePlace place) in Places(server).Where(item => item.Place.Field is { Required: false }))
        {
            Assert.Equal(await AnswerAsync(place.BodyWithout()), await AnswerAsync(place.BodyWith("null")));

            async Task<string> AnswerAsync(string body)
            {
                using HttpResponseMessage response = await SendAsync(server, route, body);
                JsonNode? answer = JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
                return $"{place}: {(int)response.StatusCode} {answer?["error"]?["param"]} {answer?["error"]?["message"]}";
            }
        }
    }

    [Fact]
    public async Task Field_GivenTwice_IsA400NamingIt()
    {
        using ApiServer server = Start();
        foreach ((string route, ShapePlace place) in Places(server).Where(item => item.Place.Field is not null))
        {
            JsonNode error = await RefusedAsync(server, route, place.BodyWithTwice(), $"{route} {place} twice");
            Assert.Equal((place.Param, "duplicate_parameter"), (error["param"]?.GetValue<string>(), error["code"]!.GetValue<string>()));
        }
    }

    [Fact]
    public async Task Text_HalfASurrogatePair_IsA400NamingIt()
    {
        using ApiServer server = Start();
        foreach ((string route, ShapePlace place) in Places(server).Where(item => Fits(item.Place, "\"x\"")))
        {
            foreach (string half in new[] { "\"\\ud800\"", "\"a\\udfffb\"", "\"\\udc00\\ud800\"" })
            {
                JsonNode error = await RefusedAsync(server, route, place.BodyWith(half), $"{route} {place} = {half}");
                Assert.Equal((place.Param, "invalid_unicode"), (error["param"]?.GetValue<string>(), error["code"]!.GetValue<string>()));
            }
        }
    }

    [Fact]
    public async Task Field_AnyValueAtAll_IsAnsweredOrRefusedButNeverAServerError()
    {
        using ApiServer server = Start();
        foreach ((string route, ShapePlace place) in Places(server))
        {
            foreach (string value in Values)
            {
                using HttpResponseMessage response = await SendAsync(server, route, place.BodyWith(value));
                Assert.True((int)response.StatusCode is >= 200 and < 500, $"{route} {place} = {value}: {(int)response.StatusCode}");
            }
        }

        Assert.Equal(0, server.Engine.Active);
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Text_Nul_IsAnsweredOrRefusedWhateverTheDatabase(string provider)
    {
        using ApiServer server = new(engine => engine.Answer = _ => "ok", [("ToolN1:Auth:AdminKeys:0", Key), .. await TestDatabase.CreateAsync(provider)]);
        foreach ((string route, ShapePlace place) in Places(server).Where(item => Fits(item.Place, "\"x\"")))
        {
            using HttpResponseMessage response = await SendAsync(server, route, place.BodyWith("\"\\u0000\""));
            Assert.True((int)response.StatusCode is >= 200 and < 500, $"{route} {place}: {(int)response.StatusCode}");
        }

        foreach (string route in new[] { "/v1/files?after=%00", "/v1/fine_tuning/jobs?after=%00", "/admin/captures?tool=%00", "/admin/captures?tenant=%00", "/admin/captures?after=%00" })
        {
            using HttpRequestMessage request = new(HttpMethod.Get, route);
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Key);
            using HttpResponseMessage response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.True((int)response.StatusCode is >= 200 and < 500, $"{route}: {(int)response.StatusCode}");
        }
    }

    [Fact]
    public async Task Number_NotANumber_IsNotJson()
    {
        using ApiServer server = Start();
        foreach ((string route, ShapePlace place) in Places(server).Where(item => Fits(item.Place, "1")))
        {
            foreach (string value in new[] { "NaN", "Infinity", "-Infinity", "0x10", "01", "1.", ".5", "+1" })
            {
                JsonNode error = await RefusedAsync(server, route, place.BodyWith(value), $"{route} {place} = {value}");
                Assert.Equal("invalid_json", error["code"]!.GetValue<string>());
            }
        }
    }

    [Theory]
    [InlineData("1e-50")]
    [InlineData("1e-40")]
    [InlineData("1e-300")]
    public async Task RepetitionPenalty_SmallerThanAFloatHolds_IsTaken(string penalty)
    {
        using ApiServer server = Start();
        await AnswerAsync(server, Json.ChatRoute, Json.Chat($"\"repetition_penalty\":{penalty},\"temperature\":{penalty},\"top_p\":{penalty},\"min_p\":{penalty}"));
        await AnswerAsync(server, Json.CompletionRoute, Json.Completion($"\"prompt\":\"Hi\",\"repetition_penalty\":{penalty},\"temperature\":{penalty}"));
        Assert.Equal(2, server.Engine.Requests.Count);
        Assert.All(server.Engine.Requests, request =>
        {
            request.Sampling.Validate();
            Assert.True(float.IsFinite(1 / request.Sampling.RepetitionPenalty));
        });
    }

    [Fact]
    public async Task StopTokenIds_WholeVocabularyBeforeAMinimum_IsA400()
    {
        using ApiServer server = new(engine => engine.Model = engine.Model with { VocabularySize = 500 }, ("ToolN1:Auth:AdminKeys:0", Key));
        string ids = string.Join(',', Enumerable.Range(2, 498));
        JsonNode error = await RefusedAsync(server, Json.ChatRoute, Json.Chat($"\"min_tokens\":1,\"stop_token_ids\":[{ids}]").ToJsonString(), "every id ends the answer");
        Assert.Equal("stop_token_ids", error["param"]!.GetValue<string>());
        Assert.Empty(server.Engine.Requests);
        await AnswerAsync(server, Json.ChatRoute, Json.Chat($"\"stop_token_ids\":[{ids}]"));
    }

    [Fact]
    public async Task StopTokenIds_MoreThanAThousand_AreA400()
    {
        using ApiServer server = Start();
        string ids = string.Join(',', Enumerable.Repeat(5, 1025));
        JsonNode error = await RefusedAsync(server, Json.ChatRoute, Json.Chat($"\"stop_token_ids\":[{ids}]").ToJsonString(), "1025 stop ids");
        Assert.Equal(("stop_token_ids", "invalid_value"), (error["param"]!.GetValue<string>(), error["code"]!.GetValue<string>()));
    }

    private static async Task AnswerAsync(ApiServer server, string route, JsonObject body)
    {
        using HttpResponseMessage response = await SendAsync(server, route, body.ToJsonString());
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private static ApiServer Start() => new(engine => engine.Answer = _ => "ok", ("ToolN1:Auth:AdminKeys:0", Key));

    private static bool Fits(ShapePlace place, string value)
    {
        using JsonDocument document = JsonDocument.Parse(value);
        return place.Shape.Fits(document.RootElement);
    }

    /// <summary>Each POST route with a described JSON body and no parameter in its path, with the places of its request.</summary>
    private static IEnumerable<(string Route, ShapePlace Place)> Places(ApiServer server) =>
        from endpoint in server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        let request = endpoint.Metadata.GetMetadata<OperationDoc>()?.Request
        where request is not null && endpoint.RoutePattern.Parameters.Count == 0
        from place in ShapePlace.Of(request)
        select (endpoint.RoutePattern.RawText!, place);

    private static async Task<JsonNode> RefusedAsync(ApiServer server, string route, string body, string what)
    {
        using HttpResponseMessage response = await SendAsync(server, route, body);
        Assert.True((int)response.StatusCode == 400, $"{what}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}");
        return await Json.ErrorAsync(response, 400);
    }

    private static async Task<HttpResponseMessage> SendAsync(ApiServer server, string route, string body)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, route) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        return await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
