using System.Globalization;
using System.Text.Json;

namespace ToolN1.Engine.Tests.Constraints;

/// <summary>Schemas that go wrong easily, each with values that it allows and values that it forbids.</summary>
internal static class HardSchemas
{
    /// <summary>Name, schema, allowed values, forbidden values.</summary>
    public static IReadOnlyList<(string Name, string Schema, string[] Good, string[] Bad)> All { get; } =
    [
        ("integer range", """{"type":"integer","minimum":-15,"maximum":1234}""", ["-15", "0", "9", "999", "1234"], ["-16", "1235", "-0", "01", "1.0"]),
        ("integer exclusive", """{"type":"integer","exclusiveMinimum":7,"exclusiveMaximum":10}""", ["8", "9"], ["7", "10"]),
        ("integer multiple", """{"type":"integer","multipleOf":7,"minimum":10,"maximum":100}""", ["14", "98"], ["7", "15", "105"]),
        ("number range", """{"type":"number","minimum":0.15,"exclusiveMaximum":2.5}""", ["0.15", "0.2", "1", "2.49", "2.4999"], ["0.1", "0.1499", "2.5", "2.50", "3", "-1"]),
        ("negative range", """{"type":"number","minimum":-2.75,"maximum":-1}""", ["-1", "-1.0", "-2.75", "-2.5"], ["-0.99", "-2.76", "1", "-3"]),
        ("cents", """{"type":"number","multipleOf":0.01,"minimum":0}""", ["0", "1.5", "1.25"], ["1.255", "-1"]),
        ("any number", """{"type":"number"}""", ["0", "-1.5e10", "1E-7", "123456.789"], ["+1", ".5", "1.", "1e", "00"]),
        ("string length", """{"type":"string","minLength":2,"maxLength":3}""", ["\"ab\"", "\"世界é\"", "\"\\n\\\"\"", "\"\\ud83d\\ude00x\""], ["\"a\"", "\"abcd\"", "\"\\ud83d\""]),
        ("pattern", """{"type":"string","pattern":"^[a-z]{2,4}(-\\d+)?$"}""", ["\"ab\"", "\"abcd-12\""], ["\"a\"", "\"abcde\"", "\"ab-\""]),
        ("loose pattern", """{"type":"string","pattern":"b+c"}""", ["\"xxbbcyy\"", "\"bc\""], ["\"bd\"", "\"\""]),
        ("unicode pattern", """{"type":"string","pattern":"^[α-ω世]+$"}""", ["\"αβγ世\""], ["\"a\"", "\"Α\""]),
        ("not pattern", """{"type":"string","pattern":"^[^a]*$","maxLength":4}""", ["\"世界\"", "\"\\\"b\\\\\"", "\"😀\""], ["\"ba\"", "\"bbbbb\""]),
        ("anchored alternatives", """{"type":"string","pattern":"^a|b$"}""", ["\"axx\"", "\"xxb\""], ["\"xax\""]),
        ("date", """{"type":"string","format":"date"}""", ["\"2024-02-29\"", "\"1999-12-31\""], ["\"2023-02-29\"", "\"2024-13-01\""]),
        ("date-time", """{"type":"string","format":"date-time"}""", ["\"2024-02-29T23:59:59Z\"", "\"2024-01-01T00:00:00.5+02:00\""], ["\"2024-01-01\""]),
        ("uuid", """{"type":"string","format":"uuid"}""", ["\"123e4567-e89b-12d3-a456-426614174000\""], ["\"123e4567\""]),
        ("ipv4", """{"type":"string","format":"ipv4"}""", ["\"192.168.0.255\""], ["\"256.1.1.1\"", "\"1.2.3\""]),
        ("ipv6", """{"type":"string","format":"ipv6"}""", ["\"::\"", "\"2001:db8::1\"", "\"1:2:3:4:5:6:7:8\""], ["\"1:2\"", "\":::\""]),
        ("email", """{"type":"string","format":"email"}""", ["\"a.b@example.com\""], ["\"a@\"", "\"@b\""]),
        ("uri", """{"type":"string","format":"uri"}""", ["\"https://example.com/a?b=c#d\""], ["\"example\""]),
        ("duration", """{"type":"string","format":"duration"}""", ["\"P1Y2M3DT4H5M6S\"", "\"PT5M\"", "\"P2W\""], ["\"P\"", "\"PT\"", "\"5M\""]),
        ("time", """{"type":"string","format":"time"}""", ["\"12:30:00Z\""], ["\"12:30\""]),
        ("hostname", """{"type":"string","format":"hostname"}""", ["\"a-b.example\""], ["\"-a\"", "\"a..b\""]),
        ("enum", """{"enum":["a","ab",1,null,true,{"x":[1,"é"]},"naïve","q\"uote"]}""", ["\"a\"", "\"ab\"", "1", "null", "{\"x\": [1, \"é\"]}", "\"naïve\"", "\"q\\\"uote\""], ["\"abc\"", "2", "false"]),
        ("typed enum", """{"type":["string","integer"],"enum":["a","bbb",1,2.5,null],"maxLength":2}""", ["\"a\"", "1"], ["2.5", "null", "\"bbb\""]),
        ("const", """{"const":[1,{"a":2}]}""", ["[1, {\"a\": 2}]"], ["[1]"]),
        ("nullable", """{"type":"string","nullable":true}""", ["null", "\"x\""], ["1"]),
        ("union", """{"type":["boolean","null","array"],"items":{"type":"integer"}}""", ["true", "null", "[]", "[1, 2]"], ["1", "[\"a\"]"]),
        ("object", """{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"},"c":{"type":"boolean"}},"required":["b"],"additionalProperties":false}""",
            ["{\"b\": \"x\"}", "{\"a\": 1, \"b\": \"\"}", "{\"a\": 1, \"b\": \"\", \"c\": true}"], ["{}", "{\"a\": 1}", "{\"b\": \"x\", \"d\": 1}", "{\"b\": \"x\",}"]),
        ("names that share beginnings", """{"type":"object","properties":{"ab":{"type":"integer"},"a":{"type":"integer"},"abc":{"type":"integer"},"é":{"type":"null"},"q\"":{"type":"null"}},"required":["a"]}""",
            ["{\"a\": 1}", "{\"ab\": 1, \"a\": 2, \"abc\": 3, \"é\": null, \"q\\\"\": null}"], ["{\"ab\": 1}", "{\"b\": 1}"]),
        ("open object", """{"type":"object","properties":{"a":{"type":"integer"}},"additionalProperties":{"type":"boolean"}}""",
            ["{}", "{\"a\": 1}", "{\"a\": 1, \"b\": true}", "{\"aa\": true, \"\": false}"], ["{\"a\": true}", "{\"b\": 1}", "{\"a\": 1, \"b\": 1}"]),
        ("pattern properties", """{"type":"object","properties":{"id":{"type":"integer"}},"patternProperties":{"^x_":{"type":"string"},"^n_":{"type":"number"}},"additionalProperties":false}""",
            ["{\"id\": 1, \"x_a\": \"b\", \"n_\": 1.5}", "{}"], ["{\"x_a\": 1}", "{\"y\": 1}", "{\"id\": \"a\"}"]),
        ("pattern and others", """{"type":"object","patternProperties":{"^x":{"type":"string"}},"additionalProperties":{"type":"integer"}}""",
            ["{\"x\": \"a\", \"y\": 1}", "{\"\": 1}"], ["{\"x\": 1}", "{\"y\": \"a\"}"]),
        ("counted object", """{"type":"object","properties":{"a":{"type":"null"},"b":{"type":"null"},"c":{"type":"null"},"d":{"type":"null"}},"minProperties":2,"maxProperties":3,"additionalProperties":false}""",
            ["{\"a\": null, \"b\": null}", "{\"b\": null, \"d\": null}", "{\"a\": null, \"b\": null, \"d\": null}"], ["{}", "{\"a\": null}", "{\"a\": null, \"b\": null, \"c\": null, \"d\": null}"]),
        ("not empty map", """{"type":"object","additionalProperties":{"type":"integer"},"minProperties":1,"maxProperties":2}""", ["{\"a\": 1}", "{\"a\": 1, \"b\": 2}"], ["{}", "{\"a\": 1, \"b\": 2, \"c\": 3}"]),
        ("array bounds", """{"type":"array","items":{"type":"integer"},"minItems":2,"maxItems":3}""", ["[1, 2]", "[1, 2, 3]"], ["[]", "[1]", "[1, 2, 3, 4]"]),
        ("tuple", """{"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":{"type":"null"},"minItems":1}""", ["[1]", "[1, \"a\"]", "[1, \"a\", null, null]"], ["[]", "[\"a\"]", "[1, \"a\", 1]"]),
        ("closed tuple", """{"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":false}""", ["[]", "[1, \"a\"]"], ["[1, \"a\", 1]"]),
        ("anyOf objects", """{"anyOf":[{"type":"object","properties":{"k":{"const":"a"},"v":{"type":"integer"}},"required":["k","v"]},{"type":"object","properties":{"k":{"const":"ab"},"w":{"type":"string"}},"required":["k"]},{"type":"null"}]}""",
            ["{\"k\": \"a\", \"v\": 1}", "{\"k\": \"ab\"}", "{\"k\": \"ab\", \"w\": \"\"}", "null"], ["{\"k\": \"a\"}", "{\"k\": \"a\", \"w\": \"\"}"]),
        ("oneOf by const", """{"oneOf":[{"type":"object","properties":{"k":{"const":"a"}},"required":["k"]},{"type":"object","properties":{"k":{"const":"b"},"n":{"type":"integer"}},"required":["k","n"]}]}""",
            ["{\"k\": \"a\"}", "{\"k\": \"b\", \"n\": 1}"], ["{\"k\": \"b\"}", "{\"k\": \"c\"}"]),
        ("oneOf by type", """{"oneOf":[{"type":"string","maxLength":2},{"type":"integer"},{"type":"array","items":{"type":"null"}}]}""", ["\"a\"", "1", "[null]"], ["\"abc\"", "1.5", "{}"]),
        ("allOf", """{"allOf":[{"type":"object","properties":{"a":{"type":"integer","minimum":3}},"required":["a"]},{"properties":{"a":{"maximum":5},"b":{"type":"string"}},"required":["b"]}]}""",
            ["{\"a\": 3, \"b\": \"\"}", "{\"a\": 5, \"b\": \"x\"}"], ["{\"a\": 2, \"b\": \"\"}", "{\"a\": 6, \"b\": \"\"}", "{\"a\": 3}"]),
        ("required alternatives", """{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"anyOf":[{"required":["a"]},{"required":["b"]}]}""", ["{\"a\": 1}", "{\"b\": 1}", "{\"a\": 1, \"b\": 2}"], ["{}"]),
        ("tree", """{"$defs":{"node":{"type":"object","properties":{"value":{"type":"integer"},"children":{"type":"array","items":{"$ref":"#/$defs/node"}}},"required":["value"],"additionalProperties":false}},"$ref":"#/$defs/node"}""",
            ["{\"value\": 1}", "{\"value\": 1, \"children\": [{\"value\": 2, \"children\": []}, {\"value\": 3}]}"], ["{\"children\": []}", "{\"value\": 1, \"children\": [1]}"]),
        ("list", """{"type":"object","properties":{"head":{"type":"integer"},"tail":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},"required":["head","tail"]}""",
            ["{\"head\": 1, \"tail\": {\"head\": 2, \"tail\": null}}"], ["{\"head\": 1}", "{\"head\": 1, \"tail\": {}}"]),
        ("reference with siblings", """{"$defs":{"n":{"type":"integer","minimum":0}},"type":"object","properties":{"a":{"$ref":"#/$defs/n","maximum":9}},"required":["a"]}""", ["{\"a\": 0}", "{\"a\": 9}"], ["{\"a\": 10}", "{\"a\": -1}"]),
        ("escaped pointer", """{"$defs":{"a/b":{"type":"null"},"c~d":{"type":"boolean"}},"type":"array","prefixItems":[{"$ref":"#/$defs/a~1b"},{"$ref":"#/$defs/c~0d"}],"minItems":2}""", ["[null, true]"], ["[true, null]"]),
        ("anything", "{}", ["1", "\"a\"", "{\"a\": [1, {\"b\": null}]}", "[]"], ["", "{", "tru", "[1,]"]),
        ("impossible option", """{"type":"object","properties":{"a":false,"b":{"type":"integer"},"c":{"type":"integer","minimum":5,"maximum":4}}}""", ["{}", "{\"b\": 1}"], ["{\"a\": 1}", "{\"c\": 5}"]),
    ];

    /// <summary>A thousand optional properties.</summary>
    public static string ThousandProperties { get; } = JsonSerializer.Serialize(new
    {
        type = "object",
        properties = Enumerable.Range(0, 1000).ToDictionary(i => "property_" + i.ToString(CultureInfo.InvariantCulture), i => new { type = i % 2 == 0 ? "string" : "integer" }),
        required = new[] { "property_500", "property_999" },
    });

    /// <summary>Ten thousand values.</summary>
    public static string TenThousandValues { get; } =
        JsonSerializer.Serialize(new { @enum = Enumerable.Range(0, 10_000).Select(i => $"value {(i * 7919L) % 1_000_003} of {i}") });
}
