using System.Text.Json;
using ToolN1.Training.Captures;

namespace ToolN1.Training.Tests.Captures;

public sealed class SchemaCheckTests
{
    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string"}}}""", """{"a":1}""", "$.a")]
    [InlineData("""{"type":"object","required":["a"]}""", """{}""", "$.a")]
    [InlineData("""{"additionalProperties":false,"properties":{"a":{}}}""", """{"a":1,"b":2}""", "$.b")]
    [InlineData("""{"additionalProperties":{"type":"integer"}}""", """{"b":1.5}""", "$.b")]
    [InlineData("""{"patternProperties":{"^x":{"type":"integer"}},"additionalProperties":false}""", """{"x1":1,"y":1}""", "$.y")]
    [InlineData("""{"properties":{"a":{"type":"array","items":{"type":"number"}}}}""", """{"a":[1,"2"]}""", "$.a[1]")]
    [InlineData("""{"properties":{"a":{"prefixItems":[{"type":"string"}],"items":false}}}""", """{"a":["x",1]}""", "$.a[1]")]
    [InlineData("""{"properties":{"a":{"minItems":1,"uniqueItems":true}}}""", """{"a":[1,1.0]}""", "$.a")]
    [InlineData("""{"properties":{"a":{"enum":["x",1]}}}""", """{"a":"y"}""", "$.a")]
    [InlineData("""{"properties":{"a":{"const":{"b":[1]}}}}""", """{"a":{"b":[2]}}""", "$.a")]
    [InlineData("""{"properties":{"a":{"minimum":0,"exclusiveMaximum":10}}}""", """{"a":10}""", "$.a")]
    [InlineData("""{"properties":{"a":{"multipleOf":0.1}}}""", """{"a":0.25}""", "$.a")]
    [InlineData("""{"properties":{"a":{"maxLength":2}}}""", """{"a":"abc"}""", "$.a")]
    [InlineData("""{"properties":{"a":{"pattern":"^[a-z]+$"}}}""", """{"a":"A"}""", "$.a")]
    [InlineData("""{"properties":{"a":{"anyOf":[{"type":"string"},{"type":"null"}]}}}""", """{"a":1}""", "$.a")]
    [InlineData("""{"properties":{"a":{"oneOf":[{"type":"integer"},{"minimum":0}]}}}""", """{"a":1}""", "$.a")]
    [InlineData("""{"properties":{"a":{"not":{"type":"string"}}}}""", """{"a":"x"}""", "$.a")]
    [InlineData("""{"if":{"required":["a"]},"then":{"required":["b"]}}""", """{"a":1}""", "$.b")]
    [InlineData("""{"properties":{"a":{"$ref":"#/$defs/n"}},"$defs":{"n":{"properties":{"n":{"$ref":"#/$defs/n"}},"required":["v"]}}}""", """{"a":{"v":1,"n":{}}}""", "$.a.n.v")]
    [InlineData("""{"properties":{"a":{"type":["integer","null"]}}}""", """{"a":"1"}""", "$.a")]
    [InlineData("""{"properties":{"a":{"type":"dict"}}}""", """{"a":[]}""", "$.a")]
    public void Value_ThatBreaksTheSchema_IsFoundByPlace(string schema, string value, string place) => Assert.Equal(place, Find(schema, value)?.Place);

    [Theory]
    [InlineData("{}", """{"a":[1]}""")]
    [InlineData("""{"n":{"type":"integer"}}""", """{"n":"x"}""")]
    [InlineData("""{"properties":{"a":{"type":"integer"}}}""", """{"a":2.0}""")]
    [InlineData("""{"properties":{"a":{"maxLength":1}}}""", """{"a":"😀"}""")]
    [InlineData("""{"properties":{"a":{"multipleOf":0.1}}}""", """{"a":0.3}""")]
    [InlineData("""{"properties":{"a":{"type":"any","format":"date","pattern":"("}}}""", """{"a":"x"}""")]
    [InlineData("""{"properties":{"a":{"anyOf":[{"type":"string"},{"type":"null"}],"nullable":true}},"required":[]}""", """{"a":null}""")]
    [InlineData("""{"properties":{"a":{"$ref":"#/nowhere"}}}""", """{"a":1}""")]
    [InlineData("""{"$ref":"#"}""", "{}")]
    public void Value_ThatFits_IsLeft(string schema, string value) => Assert.Null(Find(schema, value));

    [Theory(Timeout = 120_000)]
    [InlineData("""{"oneOf":[{"$ref":"#"},{"$ref":"#"}]}""")]
    [InlineData("""{"not":{"allOf":[{"not":{"oneOf":[{"$ref":"#"},{"$ref":"#"}]}}]}}""")]
    public async Task Schema_WhoseAlternativesReferToItself_IsGivenUp(string schema)
    {
        // Each level asks twice for the next: without a bound it would take longer than anybody waits.
        SchemaFault? fault = await Task.Run(() => Find(schema, "{}"), TestContext.Current.CancellationToken);

        Assert.Equal("$", fault?.Place);
        Assert.Contains("alternatives", fault?.Rule, StringComparison.Ordinal);
    }

    private static SchemaFault? Find(string schema, string value)
    {
        using JsonDocument root = JsonDocument.Parse(schema);
        using JsonDocument given = JsonDocument.Parse(value);
        return new SchemaCheck(root.RootElement).Find(given.RootElement, "$");
    }
}
