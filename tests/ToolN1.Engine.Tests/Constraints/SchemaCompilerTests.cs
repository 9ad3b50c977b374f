using System.Text;
using ToolN1.Engine.Constraints;
using ToolN1.Engine.Constraints.Automata;
using ToolN1.Engine.Constraints.Schemas;

namespace ToolN1.Engine.Tests.Constraints;

public sealed class SchemaCompilerTests
{
    public static TheoryData<string> Names => [.. HardSchemas.All.Select(item => item.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Accepts_HardSchema_TakesWhatIsValidAndNothingElse(string name)
    {
        (string _, string schema, string[] good, string[] bad) = HardSchemas.All.Single(item => item.Name == name);
        Grammar grammar = Compile(schema);
        foreach (string value in good)
        {
            Assert.True(JsonSchemaValidator.IsValid(schema, value), $"the example {value} itself is wrong");
            Assert.True(Accepts(grammar, value), $"{value} is refused");
        }

        foreach (string value in bad)
        {
            Assert.False(Accepts(grammar, value), $"{value} is taken");
        }
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"not":{"type":"string"}}}}""", "/properties/a/not")]
    [InlineData("""{"type":"array","uniqueItems":true}""", "/uniqueItems")]
    [InlineData("""{"type":"array","contains":{}}""", "/contains")]
    [InlineData("""{"if":{},"then":{}}""", "/if")]
    [InlineData("""{"type":"string","format":"iban"}""", "/format")]
    [InlineData("""{"type":"string","pattern":"(?=a)b"}""", "/pattern")]
    [InlineData("""{"type":"string","pattern":"(a)\\1"}""", "/pattern")]
    [InlineData("""{"type":"string","pattern":"[z-a]"}""", "/pattern")]
    [InlineData("""{"type":"number","multipleOf":0.3}""", "/multipleOf")]
    [InlineData("""{"type":"strin"}""", "/type")]
    [InlineData("""{"$ref":"#/$defs/missing"}""", "/$ref")]
    [InlineData("""{"$ref":"https://example.com/schema"}""", "/$ref")]
    [InlineData("""{"oneOf":[{"type":"integer"},{"type":"number"}]}""", "/oneOf")]
    [InlineData("""{"type":"object","properties":{"a~/b":{"maxlength":3}}}""", "/properties/a~0~1b/maxlength")]
    [InlineData("""{"type":"object","dependentRequired":{}}""", "/dependentRequired")]
    [InlineData("""{"type":"object","requred":["a"]}""", "/requred")]
    [InlineData("""{"type":"string","max_length":3}""", "/max_length")]
    [InlineData("""{"anyOf":[]}""", "/anyOf")]
    [InlineData("""{"type":"string","minLength":-1}""", "/minLength")]
    public void Compile_KeywordThatCannotBeEnforced_IsRefusedByItsPointer(string schema, string pointer)
    {
        ConstraintException exception = Assert.Throws<ConstraintException>(() => Compile(schema));
        Assert.Equal(pointer, exception.Pointer);
    }

    [Theory]
    [InlineData("""{"type":"integer","minimum":3,"maximum":2}""")]
    [InlineData("""{"enum":[]}""")]
    [InlineData("false")]
    [InlineData("""{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}""")]
    [InlineData("""{"type":"string","pattern":"^a$","minLength":2}""")]
    [InlineData("""{"type":"array","minItems":3,"maxItems":2}""")]
    [InlineData("""{"$ref":"#"}""")]
    [InlineData("""{"anyOf":[{"$ref":"#"},{"type":"string"}]}""")]
    [InlineData("""{"allOf":[{"type":"string"},{"type":"integer"}]}""")]
    [InlineData("not json")]
    [InlineData("""{"type":"string","type":"integer"}""")]
    public void Compile_SchemaThatNothingFulfils_IsRefused(string schema) =>
        Assert.Throws<ConstraintException>(() => Compile(schema));

    [Fact]
    public void Compile_RecursionBomb_StaysWithinBudgetOrIsRefused()
    {
        // Each definition offers the next one three times: 3^30 combinations for whoever expands them.
        string definitions = string.Join(',', Enumerable.Range(0, 30).Select(i =>
            $$$"""
            "d{{{i}}}":{"anyOf":[{"$ref":"#/$defs/d{{{i + 1}}}"},{"type":"array","items":{"$ref":"#/$defs/d{{{i + 1}}}"}},{"oneOf":[{"$ref":"#/$defs/d{{{i + 1}}}"},{"type":"null"}]}]}
            """));
        string schema = $$$"""{"$defs":{{{{definitions}}},"d30":{"type":"integer"}},"$ref":"#/$defs/d0"}""";
        ConstraintException exception = Assert.Throws<ConstraintException>(() => Compile(schema));
        Assert.NotEmpty(exception.Reason);
    }

    [Theory]
    [InlineData("^(a+)+$", true)]
    [InlineData("(x+x+)+y", true)]
    [InlineData("(a?){50}a{50}", true)]
    [InlineData("((a{1,100}){1,100}){1,100}", false)]
    [InlineData("(a|b)*a(a|b){24}", false)]
    public void Compile_RegexBomb_IsLinearOrRefused(string pattern, bool compiles)
    {
        string schema = $$"""{"type":"string","pattern":"{{pattern}}"}""";
        if (compiles)
        {
            Compile(schema);
        }
        else
        {
            Assert.Equal("/pattern", Assert.Throws<ConstraintException>(() => Compile(schema)).Pointer);
        }
    }

    [Fact]
    public void Compile_ThousandProperties_KeepsOrderAndRequired()
    {
        Grammar grammar = Compile(HardSchemas.ThousandProperties);
        Assert.True(Accepts(grammar, """{"property_3": 1, "property_500": "x", "property_999": 2}"""));
        Assert.False(Accepts(grammar, """{"property_500": "x"}"""));
        Assert.False(Accepts(grammar, """{"property_500": "x", "property_3": 1, "property_999": 2}"""));
    }

    [Fact]
    public void Compile_TenThousandValues_TakesEachOfThem()
    {
        Grammar grammar = Compile(HardSchemas.TenThousandValues);
        Assert.True(Accepts(grammar, "\"value 0 of 0\""));
        Assert.True(Accepts(grammar, "\"value 95 of 8082\"") == HardSchemas.TenThousandValues.Contains("\"value 95 of 8082\"", StringComparison.Ordinal));
        Assert.False(Accepts(grammar, "\"value 1 of 0\""));
    }

    [Fact]
    public async Task Compile_TwoLargeEnumerationsUnderOneOf_EndsWithinItsTime()
    {
        string schema = $$"""{"oneOf":[{"enum":[{{Numbers(1)}}]},{"enum":[{{Numbers(60_001)}}]}]}""";
        await CompileInTime(schema);

        static string Numbers(int first) => string.Join(',', Enumerable.Range(first, 60_000));
    }

    [Theory]
    [InlineData("prefixItems", "true")]
    [InlineData("items", "true")]
    [InlineData("prefixItems", "{}")]
    public async Task Compile_ArrayOfVeryManyLeadingItems_EndsWithinItsTime(string keyword, string item)
    {
        ConstraintException? refusal = await CompileInTime($$"""{"type":"array","{{keyword}}":[{{string.Join(',', Enumerable.Repeat(item, 190_000))}}]}""");
        Assert.Equal("/" + keyword, refusal?.Pointer);
    }

    [Theory]
    [InlineData("1", "1.0", false)]
    [InlineData("1", "10e-1", false)]
    [InlineData("1", "1.5", true)]
    [InlineData("1", "\"1\"", true)]
    [InlineData("\"a\"", "\"\\u0061\"", false)]
    [InlineData("[1,2]", "[1.0,2]", false)]
    [InlineData("[1,2]", "[2,1]", true)]
    [InlineData("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1.0}", false)]
    [InlineData("{\"a\":1,\"b\":2}", "{\"a\":1}", true)]
    [InlineData("null", "false", true)]
    public void Compile_OneOfConstants_HoldsOnlyThoseApartThatDiffer(string first, string second, bool differ)
    {
        string schema = $$"""{"oneOf":[{"const":{{first}}},{"enum":[{{second}},"other"]}]}""";
        if (differ)
        {
            Compile(schema);
        }
        else
        {
            Assert.Equal("/oneOf", Assert.Throws<ConstraintException>(() => Compile(schema)).Pointer);
        }
    }

    [Theory]
    [InlineData(200)]
    [InlineData(15_000)]
    public void Compile_ChainOfReferences_IsRefused(int length)
    {
        string definitions = string.Join(',', Enumerable.Range(0, length).Select(i => $$$"""
            "d{{{i}}}":{"$ref":"#/$defs/d{{{i + 1}}}"}
            """));
        string schema = $$$"""{"$defs":{{{{definitions}}},"d{{{length}}}":{"type":"integer"}},"$ref":"#/$defs/d0"}""";
        Assert.Throws<ConstraintException>(() => Compile(schema));
    }

    [Fact]
    public void Compile_DeeplyNestedSchema_IsRefused()
    {
        string schema = string.Concat(Enumerable.Repeat("""{"type":"array","minItems":1,"items":""", 60)) + "{}" + new string('}', 60);
        Assert.Throws<ConstraintException>(() => Compile(schema));
    }

    [Fact]
    public void Accepts_NestingBeyondTheLimit_IsRefused()
    {
        Grammar grammar = Compile("{}");
        Assert.True(Accepts(grammar, new string('[', 48) + new string(']', 48)));
        Assert.False(Accepts(grammar, new string('[', 49) + new string(']', 49)));
    }

    [Fact]
    public void Accepts_FlexibleStyle_TakesCompactSpacedAndIndented()
    {
        Grammar grammar = new(SchemaCompiler.Compile("""{"type":"object","properties":{"a":{"type":"array","items":{"type":"integer"}}},"required":["a"]}""", false, JsonStyle.Flexible, ConstraintBudget.Default), 48);
        Assert.True(Accepts(grammar, """{"a":[1,2]}"""));
        Assert.True(Accepts(grammar, """{ "a": [1, 2] }"""));
        Assert.True(Accepts(grammar, "{\n  \"a\": [\n    1,\n    2\n  ]\n}"));
        Assert.False(Accepts(grammar, "{    \"a\": [1]}"));
        Assert.False(Accepts(grammar, "{\n\n\n\"a\": [1]}"));
    }

    private static async Task<ConstraintException?> CompileInTime(string schema)
    {
        try
        {
            // The budget is two seconds of processor time; a busy machine may take several times that on the wall.
            await Task.Run(() => Compile(schema), TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
            return null;
        }
        catch (ConstraintException refusal)
        {
            return refusal;
        }
    }

    private static Grammar Compile(string schema) =>
        new(SchemaCompiler.Compile(schema, false, JsonStyle.Spaced, ConstraintBudget.Default), ConstraintBudget.Default.MaxNesting);

    private static bool Accepts(Grammar grammar, string text) => GrammarMatcher.Accepts(grammar, Encoding.UTF8.GetBytes(text));
}
