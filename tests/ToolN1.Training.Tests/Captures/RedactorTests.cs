using System.Diagnostics;
using ToolN1.Training.Captures;
using ToolN1.Training.Captures.Redaction;

namespace ToolN1.Training.Tests.Captures;

public sealed class RedactorTests
{
    private static readonly Redactor Known = new(new RedactionOptions());

    [Theory]
    [InlineData("mail jane.doe+x@mail.example.co.uk now", "mail [email-1] now")]
    [InlineData("<jürgen@müller.de>", "<[email-1]>")]
    [InlineData("a @ b, user@localhost", "a @ b, user@localhost")]
    [InlineData("call +49 (0)30 123-4567", "call [phone-1]")]
    [InlineData("+14155552671", "[phone-1]")]
    [InlineData("(202) 555-0143 or 202-555-0143", "[phone-1] or [phone-2]")]
    [InlineData("06 12 34 56 78", "[phone-1]")]
    [InlineData("0171-2345678, 030/1234567", "[phone-1], [phone-2]")]
    [InlineData("on 05-12-2024 at 10:30, 2024-01-02, 05/12/2024, order 5551234567", "on 05-12-2024 at 10:30, 2024-01-02, 05/12/2024, order 5551234567")]
    [InlineData("3.14159265358979, 1,000,000", "3.14159265358979, 1,000,000")]
    [InlineData("card 4111-1111-1111-1111.", "card [card-1].")]
    [InlineData("378282246310005", "[card-1]")]
    [InlineData("4111 1111 1111 1111 12/27", "[card-1] 12/27")]
    [InlineData("4111-1111-1111-1111 123, 5500000000000004 27", "[card-1] 123, [card-2] 27")]
    [InlineData("41111111111111112 and 1234 5678 9012 3456", "41111111111111112 and 1234 5678 9012 3456")]
    [InlineData("4111111111111112", "4111111111111112")]
    [InlineData("sk-proj-abcdefghijkl_mnopqrst", "[key-1]")]
    [InlineData("ghp_abcdefghijklmnopqrstuvwxyz0123", "[key-1]")]
    [InlineData("AKIAIOSFODNN7EXAMPLE", "[key-1]")]
    [InlineData("Authorization: Bearer abc.def-ghi_jkl0123456", "Authorization: Bearer [key-1]")]
    [InlineData("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig-nature", "[key-1]")]
    [InlineData("password: hunter22, PASSWORD is s3cret!", "password: [key-1], PASSWORD is [key-2]")]
    [InlineData("\"api_key\": \"a1b2c3d4\"", "\"api_key\": \"[key-1]\"")]
    [InlineData("The password is wrong; the token: expired", "The password is wrong; the token: expired")]
    [InlineData("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "[key-1]")]
    [InlineData("x@y.org x@y.org z@y.org", "[email-1] [email-1] [email-2]")]
    public void Text_KnownKinds_AreTakenOutAndOthersLeft(string text, string expected) => Assert.Equal(expected, Known.Begin().Text(text));

    [Theory]
    [InlineData("""{ "to" : "a\u0040b.org" , "n" : 1.0 }""", """{"to":"[email-1]","n":1.0}""")]
    [InlineData("""{"a@b.org":{"x":["a@b.org",4111111111111111,null,true]}}""", """{"[email-1]":{"x":["[email-1]","[card-1]",null,true]}}""")]
    [InlineData("""{ "a" : "\u00e9" }""", """{ "a" : "\u00e9" }""")]
    [InlineData("""{"a@b.org": """, """{"[email-1]": """)]
    [InlineData("""{"x":"\ud800","y":"a@b.org"}""", """{"x":"\ud800","y":"[email-1]"}""")]
    public void Json_StringsNamesAndNumbers_AreRedactedWhateverTheirSpelling(string json, string expected) => Assert.Equal(expected, Known.Begin().Json(json));

    [Fact]
    public void Tool_DescriptionsAndValues_AreRedacted_StructureIsNot()
    {
        const string Tool = """{"name":"f","description":"as a@b.org","parameters":{"type":"object","properties":{"a@b.org":{"type":"string","pattern":"a@b.org","default":"a@b.org","maximum":4111111111111111}},"required":["a@b.org"]}}""";

        Assert.Equal(Tool.Replace("as a@b.org", "as [email-1]", StringComparison.Ordinal).Replace("\"default\":\"a@b.org\"", "\"default\":\"[email-1]\"", StringComparison.Ordinal), Known.Begin().Tool(Tool));
    }

    [Fact]
    public void OwnRules_ComeFirst_TakeOutTheirGroup_AndAreNotRedactedAgain()
    {
        Redactor redactor = new(new RedactionOptions
        {
            Rules = [new() { Name = "user", Pattern = @"user (?<value>\w+)", Replacement = "someone{n}@example.org" }, new() { Name = "id", Pattern = "[0-9]{6}" }],
        });
        RedactionPass pass = redactor.Begin();

        Assert.Equal("user someone1@example.org and user someone2@example.org of [email-1], [id-1]", pass.Text("user ann and user bob of c@d.org, 123456"));
        Assert.Equal([("email", 1), ("id", 1), ("user", 2)], pass.Counts.Select(pair => (pair.Key, pair.Value)));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("1")]
    [InlineData("+1 ")]
    [InlineData("4 ")]
    [InlineData("a@")]
    [InlineData("-----BEGIN PRIVATE KEY-----")]
    [InlineData("password: ")]
    public void Text_MadeToBacktrack_IsReadInLinearTime(string piece)
    {
        string text = string.Concat(Enumerable.Repeat(piece, (1 << 18) / piece.Length));
        // A step for each pair of places would be 2^36 of them: hours. The bound is for a hang, not for speed.
        Stopwatch watch = Stopwatch.StartNew();
        Known.Begin().Text(text);

        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromMinutes(5));
    }
}
