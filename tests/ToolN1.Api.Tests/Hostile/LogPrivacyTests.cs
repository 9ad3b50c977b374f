using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.Logging;
using ToolN1.Api.Tests.Support;

namespace ToolN1.Api.Tests.Hostile;

/// <summary>What callers and the model write, and keys, stay out of the log at every level but Trace.</summary>
public sealed class LogPrivacyTests
{
    private const string Canary = "CanaryOfTheUser";
    private const string Answer = "CanaryOfTheModel";

    private static readonly string[] Bodies =
    [
        // Answered.
        """{"model":"org/test-model","messages":[{"role":"system","content":"USER"},{"role":"user","content":"USER"}],"user":"USER","stop":"USER","metadata":{"USER":"USER"}}""",
        """{"model":"org/test-model","stream":true,"messages":[{"role":"user","content":"USER"}],"tools":[{"type":"function","function":{"name":"USER","description":"USER","parameters":{"USER":"USER"}}}]}""",
        """{"model":"org/test-model","messages":[{"role":"user","content":"USER"}],"max_tokens":2}""",
        // Refused, each by another hand.
        """{"model":"USER","messages":[{"role":"user","content":"USER"}]}""",
        """{"USER":1}""",
        """{"messages":"USER"}""",
        """{"messages": USER }""",
        """{"messages":[{"role":"USER"}]}""",
        """{"model":"org/test-model","messages":[{"role":"tool","tool_call_id":"USER","content":"USER"}]}""",
        """{"model":"org/test-model","messages":[{"role":"user","content":"USER"}],"temperature":"USER"}""",
        """{"model":"org/test-model","messages":[{"role":"user","content":"USER"}],"max_tokens":1000000}""",
        """{"model":"org/test-model","messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"USER"}}]}]}""",
    ];

    [Fact]
    public async Task Log_AtDebug_HoldsNothingThatACallerOrTheModelWrote()
    {
        using ApiServer server = new(
            engine => engine.Answer = _ => $"<think>{Answer}</think><tool_call>[{{\"name\": \"{Answer}\", \"arguments\": {{\"a\": \"{Answer}\"}}}}]</tool_call>",
            ("Logging:LogLevel:Default", "Debug"), ("Logging:LogLevel:Microsoft.AspNetCore", "Debug"), ("ToolN1:Auth:ApiKeys:0", Canary + "Key"),
            ("ToolN1:Auth:AdminKeys:0", Canary + "AdminKey"), ("ToolN1:Captures:Enabled", "true"));
        foreach (string body in Bodies)
        {
            await SendAsync(Json.ChatRoute, body, Canary + "Key");
        }

        await SendAsync(Json.CompletionRoute, """{"model":"org/test-model","prompt":"USER","echo":true}""", Canary + "Key");
        await SendAsync("/tokenize", """{"prompt":"USER"}""", Canary + "Key");
        await SendAsync(Json.ChatRoute, Bodies[0], Canary + "WrongKey");

        // A failure that nobody expected: its message may quote anything.
        server.Engine.Answer = _ => throw new InvalidOperationException(Canary);
        await SendAsync(Json.ChatRoute, Bodies[0], Canary + "Key");
        await SendAsync(Json.ChatRoute, Bodies[1], Canary + "Key");

        Assert.Contains(server.Log.Lines, line => line.Level == LogLevel.Debug);
        Assert.Contains(server.Log.Lines, line => line.Level == LogLevel.Error);
        Assert.DoesNotContain(server.Log.Lines, line => line.Level != LogLevel.Trace && (line.Text.Contains(Canary, StringComparison.Ordinal) || line.Text.Contains(Answer, StringComparison.Ordinal)));

        async Task SendAsync(string route, string body, string key)
        {
            using HttpRequestMessage request = new(HttpMethod.Post, route) { Content = new StringContent(body.Replace("USER", Canary, StringComparison.Ordinal), Encoding.UTF8, "application/json") };
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
            using HttpResponseMessage response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        }
    }

    [Theory]
    [InlineData("Logging:LogLevel:")]
    [InlineData("Logging:ToolN1.Api.Tests.Support.LogCapture:LogLevel:")]
    public async Task Log_FrameworkAtDebug_HoldsNeitherPathNorQuery(string section)
    {
        string[] asked = ["Default", "Microsoft.AspNetCore", "Microsoft.AspNetCore.Hosting.Diagnostics", "Microsoft.AspNetCore.Routing.Matching.DfaMatcher", "Microsoft.AspNetCore.StaticFiles"];
        using ApiServer server = new([("ToolN1:Auth:AdminKeys:0", "admin"), .. asked.Select(category => (section + category, "Debug"))]);
        foreach ((string method, string route) in new[]
        {
            ("GET", "/v1/files?after=USER"), ("GET", "/v1/models/USER"), ("GET", "/USER?key=USER"), ("POST", Json.ChatRoute + "?api_key=USER&prompt=USER"),
            ("GET", "/v1/files/USER/content"), ("PUT", "/v1/files/USER"), ("GET", "/swagger/USER"), ("GET", "/health/live?token=USER"), ("GET", "/metrics?USER"),
        })
        {
            using HttpRequestMessage request = new(new HttpMethod(method), route.Replace("USER", Canary, StringComparison.Ordinal));
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "admin");
            using HttpResponseMessage response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        }

        Assert.Contains(server.Log.Lines, line => line.Level == LogLevel.Debug && line.Category.StartsWith("Microsoft.", StringComparison.Ordinal));
        Assert.DoesNotContain(server.Log.Lines, line => line.Text.Contains(Canary, StringComparison.Ordinal));
    }
}
