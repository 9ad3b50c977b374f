using System.Text;
using System.Text.Json.Nodes;
using ToolN1.Api.Tests.Support;

namespace ToolN1.Api.Tests.Captures;

/// <summary>What the rules take out is nowhere in what is kept.</summary>
public sealed class CaptureRedactionTests
{
    private static readonly string[] Private =
        ["ann@example.org", "bob@example.org", "+49 30 1234567", "4111 1111 1111 1111", "4111111111111111", "sk-abcdefghijklmnop1234", "hunter22", "E12345"];

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Capture_HoldsPlaceholders_TheSameForTheSameValue(string provider)
    {
        using CaptureServer server = new(
            """<think>To ann@example.org and bob@example.org.</think><tool_call>[{"name": "send", "arguments": {"to": ["bob@example.org", "ann\u0040example.org"], "card": 4111111111111111, "n": 7}}]</tool_call>""",
            settings:
            [
                ("ToolN1:Captures:Redaction:Rules:0:Name", "staff"), ("ToolN1:Captures:Redaction:Rules:0:Pattern", @"\bE[0-9]{5}\b"), ("ToolN1:Captures:Redaction:Rules:0:Replacement", "E0000{n}"),
                .. await TestDatabase.CreateAsync(provider),
            ]);
        JsonNode capture = await server.OneAsync(Json.Chat(
            """ "tools":[{"type":"function","function":{"name":"send","description":"Mails as ann@example.org","parameters":{"type":"object","properties":{"to":{"type":"array","items":{"enum":["ann@example.org","bob@example.org"]}},"card":{}}}}}]""",
            "I am E12345 (ann@example.org, +49 30 1234567); key sk-abcdefghijklmnop1234, password: hunter22, card 4111 1111 1111 1111. Mail bob@example.org on 05-12-2024."));

        Assert.Equal(
            "I am E00001 ([email-1], [phone-1]); key [key-1], password: [key-2], card [card-1]. Mail [email-2] on 05-12-2024.",
            CaptureServer.Text(capture["messages"]![0]!, "content"));
        Assert.Equal("To [email-1] and [email-2].", CaptureServer.Text(capture, "reasoning"));
        Assert.Equal("""[{"name":"send","arguments":{"to":["[email-2]","[email-1]"],"card":"[card-2]","n":7}}]""", capture["calls"]!.ToJsonString());
        Assert.Equal("Mails as [email-1]", CaptureServer.Text(capture["tools"]![0]!, "description"));
        Assert.Equal("""["[email-1]","[email-2]"]""", capture["tools"]![0]!["parameters"]!["properties"]!["to"]!["items"]!["enum"]!.ToJsonString());
        Assert.Equal("""{"card":2,"email":9,"key":2,"phone":1,"staff":1}""", capture["redactions"]!.ToJsonString());

        // Neither in the answers of the API nor in any file.
        string kept = capture.ToJsonString() + (await server.GetAsync(CaptureServer.Route)).ToJsonString()
            + string.Concat(Directory.GetFiles(server.DataDirectory, "tooln1.db*").Select(file => Encoding.Latin1.GetString(Read(file))));
        Assert.All(Private, value => Assert.DoesNotContain(value, kept, StringComparison.Ordinal));
    }

    [Fact]
    public async Task BuiltInRule_TurnedOff_LeavesItsKind()
    {
        using CaptureServer server = new(settings: ("ToolN1:Captures:Redaction:Emails", "false"));
        JsonNode capture = await server.OneAsync(CaptureServer.Request(content: "ann@example.org, +49 30 1234567"));

        Assert.Equal("ann@example.org, [phone-1]", CaptureServer.Text(capture, "request"));
    }

    private static byte[] Read(string file)
    {
        using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using MemoryStream bytes = new();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}
