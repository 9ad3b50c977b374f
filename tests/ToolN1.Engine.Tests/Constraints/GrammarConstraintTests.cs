using System.Text;
using System.Text.Json;
using ToolN1.Engine.Constraints;
using ToolN1.Engine.Tokenization;

namespace ToolN1.Engine.Tests.Constraints;

public sealed class GrammarConstraintTests
{
    private const string Weather = """{"type":"object","properties":{"city":{"type":"string"},"unit":{"enum":["celsius","fahrenheit"]},"days":{"type":"integer","minimum":1,"maximum":14}},"required":["city","unit"]}""";
    private static readonly ConstrainedTool[] Tools = [new("get_weather", Weather), new("stop_all", null), new("naïve.tool-2", """{"type":"object","properties":{"x":{"type":"array","items":{"type":"number"},"minItems":1}},"required":["x"]}""")];

    public static TheoryData<string> Names => [.. HardSchemas.All.Select(item => item.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Walk_RandomTokensUnderTheMask_AlwaysEndInAValidValue(string name)
    {
        string schema = HardSchemas.All.Single(item => item.Name == name).Schema;
        AnswerConstraint constraint = Compiler(AnswerMarkup.List).Json(schema, [], true, 0);
        for (int seed = 0; seed < 20; seed++)
        {
            string text = Walk(constraint, new Random(seed), 200, seed % 2 == 0);
            Assert.True(JsonSchemaValidator.IsValid(schema, text), $"seed {seed}: {text}");
            Assert.True(constraint.Accepts(Encoding.UTF8.GetBytes(text)));
        }
    }

    [Theory]
    [InlineData(AnswerMarkup.List, true)]
    [InlineData(AnswerMarkup.List, false)]
    [InlineData(AnswerMarkup.Blocks, true)]
    [InlineData(AnswerMarkup.Blocks, false)]
    public void RequireCalls_RandomTokens_AlwaysEndInValidCalls(AnswerMarkup markup, bool isParallel)
    {
        AnswerConstraint constraint = Compiler(markup).RequireCalls(Tools, isParallel, 30);
        for (int seed = 0; seed < 40; seed++)
        {
            string text = Walk(constraint, new Random(seed), 400, seed % 2 == 0);
            int thought = text.LastIndexOf("</think>", StringComparison.Ordinal);
            string calls = text[(text.IndexOf("<tool_call>", Math.Max(0, thought), StringComparison.Ordinal) + "<tool_call>".Length)..];
            Assert.EndsWith("</tool_call>", calls, StringComparison.Ordinal);
            string json = calls[..^"</tool_call>".Length];
            json = markup == AnswerMarkup.List ? json : $"[{json.Replace("\n</tool_call>\n<tool_call>\n", ",", StringComparison.Ordinal)}]";
            using JsonDocument document = JsonDocument.Parse(json);
            Assert.InRange(document.RootElement.GetArrayLength(), 1, isParallel ? int.MaxValue : 1);
            foreach (JsonElement call in document.RootElement.EnumerateArray())
            {
                ConstrainedTool tool = Tools.Single(tool => tool.Name == call.GetProperty("name").GetString());
                string arguments = call.GetProperty("arguments").GetRawText();
                Assert.True(JsonSchemaValidator.IsValid(tool.ParametersJson ?? """{"maxProperties":0}""", arguments), arguments);
            }
        }
    }

    [Fact]
    public void RequireCalls_ThinkTagNeverClosed_BudgetClosesIt()
    {
        AnswerConstraint constraint = Compiler(AnswerMarkup.List).RequireCalls([new("f", null)], false, 25);
        ITokenConstraint sequence = constraint.Start();
        Tokenizer tokenizer = TestVocabulary.Index.Tokenizer;
        int letter = tokenizer.Encode("z")[0];
        StringBuilder text = new();
        int tokens = 0;
        for (int remaining = 1000; ; remaining--)
        {
            ReadOnlySpan<ulong> allowed = sequence.Allowed(remaining).Span;
            int token = Has(allowed, letter) ? letter : First(allowed);
            sequence.Accept(token);
            if (token == TestVocabulary.End)
            {
                break;
            }

            tokens++;
            text.Append(tokenizer.Decode([token]));
        }

        Assert.Matches("^<think>z+</think>\\s*<tool_call> ?\\[{\"name\": \"f\", \"arguments\": {}}\\]</tool_call>$", text.ToString());
        Assert.InRange(tokens, 25, 140);
    }

    [Fact]
    public void RequireCalls_TagsInsideThinking_AreProse()
    {
        AnswerConstraint constraint = Compiler(AnswerMarkup.List).RequireCalls([new("f", null)], false, 1000);
        Assert.True(Accepts(constraint, "<think>a <tool_call>[nonsense]</tool_call> b</think><tool_call>[{\"name\": \"f\", \"arguments\": {}}]</tool_call>"));
        Assert.False(Accepts(constraint, "<think>a</think><tool_call>[]</tool_call>"));
        Assert.False(Accepts(constraint, "<tool_call>[{\"name\": \"f\", \"arguments\": {}}]</tool_call>"));
        Assert.False(Accepts(constraint, "<think>a</think><tool_call>[{\"name\": \"g\", \"arguments\": {}}]</tool_call>"));
    }

    [Fact]
    public void AllowCalls_TextIsFree_CallsAreNot()
    {
        AnswerConstraint constraint = Compiler(AnswerMarkup.List).AllowCalls([new("f", null), new("g", Weather, Enforced: false)], true, 1000);
        Assert.True(Accepts(constraint, "just words, even <tool_cal"));
        Assert.True(Accepts(constraint, "<think>hm <tool_call>x</think>words"));
        Assert.True(Accepts(constraint, "<think>hm</think><tool_call>[]</tool_call>"));
        Assert.True(Accepts(constraint, "<think>hm</think> <tool_call> [{\"name\": \"f\", \"arguments\": {}}, {\"name\": \"g\", \"arguments\": {\"any\": 1}}]</tool_call>"));
        Assert.False(Accepts(constraint, "<think>hm</think><tool_call>[{\"name\": \"f\", \"arguments\": {\"x\": 1}}]</tool_call>"));
        Assert.False(Accepts(constraint, "<think>hm</think><tool_call>words"));
    }

    [Fact]
    public void Forced_KeysAndPunctuation_ComeWithoutSampling()
    {
        AnswerConstraint constraint = Compiler(AnswerMarkup.List).RequireCalls([new("get_weather", Weather)], false, 0);
        ITokenConstraint sequence = constraint.Start();
        IReadOnlyList<int> forced = sequence.Forced(500);
        string text = TestVocabulary.Index.Tokenizer.Decode(forced);
        Assert.StartsWith("<tool_call>", text, StringComparison.Ordinal);

        // The list may begin with a space, so the first stretch ends there; the next reaches the city's opening quote.
        foreach (int token in forced)
        {
            sequence.Accept(token);
        }

        sequence.Accept(TestVocabulary.Index.Tokenizer.Encode("[")[0]);
        forced = sequence.Forced(500);
        Assert.StartsWith("{\"name\": \"get_weather\", \"arguments\": {\"city\":", TestVocabulary.Index.Tokenizer.Decode(forced), StringComparison.Ordinal);
        Assert.Equal(TestVocabulary.Index.Tokenizer.Encode("[" + TestVocabulary.Index.Tokenizer.Decode(forced)).Skip(1), forced);
    }

    [Fact]
    public void Walk_VocabularyWithTagTokens_UsesThem()
    {
        Tokenizer vocabulary = Tokenizer.Parse(TestVocabulary.Json(hasTags: true), "test");
        int end = vocabulary.FindAddedToken("<|end|>")!.Value;
        AnswerConstraint constraint = new ConstraintCompiler(vocabulary, [end], AnswerMarkup.List).RequireCalls([new("f", null)], false, 5);
        List<int> ids = [];
        ITokenConstraint sequence = constraint.Start();
        Random random = new(1);
        for (int remaining = 200; remaining > 0; remaining--)
        {
            int token = Choose(sequence.Allowed(remaining).Span, random);
            sequence.Accept(token);
            ids.Add(token);
            if (token == end)
            {
                break;
            }
        }

        Assert.Equal(end, ids[^1]);
        Assert.Contains(vocabulary.FindAddedToken("<tool_call>")!.Value, ids);
        Assert.Equal(vocabulary.FindAddedToken("</tool_call>")!.Value, ids[^2]);
    }

    [Fact]
    public void Accept_TokenThatIsNotAllowed_Throws()
    {
        ITokenConstraint sequence = Compiler(AnswerMarkup.List).Json("""{"type":"integer"}""", [], true, 0).Start();
        Assert.Throws<InvalidOperationException>(() => sequence.Accept(TestVocabulary.Index.Tokenizer.Encode("a")[0]));
        Assert.Throws<InvalidOperationException>(() => sequence.Accept(TestVocabulary.End));
    }

    [Fact]
    public void Cache_ManySchemas_StaysUnderItsCap()
    {
        ConstraintCompiler compiler = new(TestVocabulary.Index.Tokenizer, [TestVocabulary.End], AnswerMarkup.List, cacheBytes: 200_000);
        for (int i = 0; i < 200; i++)
        {
            compiler.Json($$"""{"type":"string","pattern":"^a{{{i + 1}}}$"}""", [], true, 0);
        }

        Assert.InRange(compiler.CachedBytes, 1, 200_000);
    }

    [Fact]
    public void Cache_SchemasThatDifferInDescriptionOnly_AreOne()
    {
        ConstraintCompiler compiler = Compiler(AnswerMarkup.List);
        compiler.Json("""{"type":"object","description":"a","properties":{"description":{"type":"string","title":"b"}}}""", [], true, 0);
        long bytes = compiler.CachedBytes;
        compiler.Json("""{ "type": "object", "properties": {"description": {"type": "string", "default": "c"}}}""", [], true, 0);
        Assert.Equal(bytes, compiler.CachedBytes);
        compiler.Json("""{"type":"object","properties":{"title":{"type":"string"}}}""", [], true, 0);
        Assert.True(compiler.CachedBytes > bytes);
    }

    [Theory]
    [InlineData("$ref")]
    [InlineData("\\u0024ref")]
    public void Cache_SchemasThatReferToWhatDescribes_AreApart(string keyword)
    {
        ConstraintCompiler compiler = Compiler(AnswerMarkup.List);
        AnswerConstraint text = compiler.Json($$$"""{"{{{keyword}}}":"#/default","default":{"type":"string"}}""", [], true, 0);
        AnswerConstraint number = compiler.Json($$$"""{"{{{keyword}}}":"#/default","default":{"type":"integer"}}""", [], true, 0);
        Assert.True(text.Accepts("\"a\""u8));
        Assert.False(number.Accepts("\"a\""u8));
        Assert.True(number.Accepts("5"u8));
    }

    [Fact]
    public void Compile_NoTimeLeft_IsRefusedWithTheBudget()
    {
        ConstraintCompiler compiler = new(
            TestVocabulary.Index.Tokenizer, [TestVocabulary.End], AnswerMarkup.List, new ConstraintBudget { MaxTime = TimeSpan.Zero });
        ConstraintException exception = Assert.Throws<ConstraintException>(() => compiler.Json(HardSchemas.ThousandProperties, [], true, 0));
        Assert.Contains("longer than the 0 ms", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(AnswerMarkup.List, 0)]
    [InlineData(AnswerMarkup.List, 50)]
    [InlineData(AnswerMarkup.Blocks, 50)]
    public void RequireCalls_EveryLimitThatLeavesRoom_EndsInValidCalls(AnswerMarkup markup, int thinking)
    {
        AnswerConstraint constraint = Compiler(markup).RequireCalls(Tools, isParallel: true, thinking);

        // The shortest answer is a call of stop_all, 60 tokens of this vocabulary or fewer, thinking tags included.
        for (int limit = 90; limit < 260; limit++)
        {
            string text = Walk(constraint, new Random(limit), limit, limit % 2 == 0);
            Assert.True(Accepts(constraint, text), $"limit {limit}: {text}");
        }
    }

    [Fact]
    public void Allowed_ControlTokens_NeverStandWhereTextIsExpected()
    {
        Tokenizer vocabulary = Tokenizer.Parse(TestVocabulary.Json(hasTags: true), "test");
        int end = vocabulary.FindAddedToken("<|end|>")!.Value;
        ConstraintCompiler compiler = new(vocabulary, [end], AnswerMarkup.List);
        ITokenConstraint thinking = compiler.RequireCalls([new("f", """{"type":"object","properties":{"s":{"type":"string"}},"required":["s"]}""")], false, 1000).Start();
        foreach (int token in thinking.Forced(2000))
        {
            thinking.Accept(token);
        }

        // A tag in thinking is prose, in a string it is not a token; control tokens are neither.
        int tag = vocabulary.FindAddedToken("<tool_call>")!.Value;
        int control = vocabulary.FindAddedToken("<|control|>")!.Value;
        Assert.True(Has(thinking.Allowed(2000).Span, tag));
        Assert.False(Has(thinking.Allowed(2000).Span, control));
        Assert.False(Has(thinking.Allowed(2000).Span, end));
        Feed(thinking, vocabulary, "x</think><tool_call>[{\"name\": \"f\", \"arguments\": {\"s\": \"a");
        Assert.False(Has(thinking.Allowed(2000).Span, tag));
        Assert.False(Has(thinking.Allowed(2000).Span, control));
        Assert.False(Has(thinking.Allowed(2000).Span, end));
    }

    [Fact]
    public void Allowed_StringContent_IsUtf8ByteByByte()
    {
        ITokenConstraint text = Compiler(AnswerMarkup.List).Json("""{"type":"string"}""", [], true, 0).Start();
        text.Accept(Single('"'));
        Assert.False(Has(text.Allowed(100).Span, Single(0x80)));
        Assert.False(Has(text.Allowed(100).Span, Single(0xC0)));
        Assert.False(Has(text.Allowed(100).Span, Single('\n')));
        text.Accept(Single(0xED));
        Assert.True(Has(text.Allowed(100).Span, Single(0x9F)));
        Assert.False(Has(text.Allowed(100).Span, Single(0xA0)));
        Assert.False(Has(text.Allowed(100).Span, Single('a')));
    }

    private static int Single(int value) =>
        Enumerable.Range(0, 256).Single(id => TestVocabulary.Index.Tokenizer.TokenBytes(id).Span.SequenceEqual([(byte)value]));

    private static void Feed(ITokenConstraint sequence, Tokenizer tokenizer, string text)
    {
        foreach (int token in tokenizer.EncodeWithAddedTokens(text))
        {
            sequence.Accept(token);
        }
    }

    private static ConstraintCompiler Compiler(AnswerMarkup markup) => new(TestVocabulary.Index.Tokenizer, [TestVocabulary.End], markup);

    private static bool Accepts(AnswerConstraint constraint, string text) => constraint.Accepts(Encoding.UTF8.GetBytes(text));

    private static string Walk(AnswerConstraint constraint, Random random, int limit, bool usesForced)
    {
        ITokenConstraint sequence = constraint.Start();
        List<int> ids = [];
        while (true)
        {
            Assert.True(ids.Count < limit, "the limit was reached: " + TestVocabulary.Index.Tokenizer.Decode(ids));
            IReadOnlyList<int> forced = usesForced ? sequence.Forced(limit - ids.Count) : [];
            foreach (int token in forced)
            {
                sequence.Accept(token);
                ids.Add(token);
            }

            int next = Choose(sequence.Allowed(limit - ids.Count).Span, random);
            sequence.Accept(next);
            if (next == TestVocabulary.End)
            {
                return TestVocabulary.Index.Tokenizer.Decode(ids);
            }

            ids.Add(next);
        }
    }

    private static bool Has(ReadOnlySpan<ulong> mask, int token) => (mask[token >> 6] & (1UL << (token & 63))) != 0;

    private static int First(ReadOnlySpan<ulong> mask)
    {
        for (int token = 0; token < mask.Length * 64; token++)
        {
            if (Has(mask, token))
            {
                return token;
            }
        }

        throw new InvalidOperationException("The mask is empty.");
    }

    private static int Choose(ReadOnlySpan<ulong> mask, Random random)
    {
        List<int> allowed = [];
        for (int token = 0; token < mask.Length * 64; token++)
        {
            if (Has(mask, token))
            {
                allowed.Add(token);
            }
        }

        Assert.NotEmpty(allowed);
        return allowed[random.Next(allowed.Count)];
    }
}
