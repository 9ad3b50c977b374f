using System.Numerics;
using System.Text;
using System.Text.Json;
using ToolN1.Engine.Constraints;
using ToolN1.Engine.Constraints.Automata;
using ToolN1.Engine.Constraints.Schemas;
using ToolN1.Engine.Tokenization;
using ToolN1.TestSupport;

namespace ToolN1.Engine.Tests.Constraints;

/// <summary>
/// Whatever a model prefers, its answer under a constraint is valid to an independent validator; and what is valid, in the
/// spelling that the grammar promises, is accepted. The model here is only its preferences: random numbers for tokens.
/// </summary>
public sealed class ConstraintVerificationTests
{
    private const double Uniform = double.PositiveInfinity;

    // A busy machine must not decide what is compiled.
    private static readonly ConstraintBudget Patient = new() { MaxTime = TimeSpan.FromMinutes(5) };

    private static readonly Lazy<Tokenizer> Nano = new(() => Tokenizer.Load(TestPaths.NanoModel));
    private static readonly Lazy<Tokenizer?> Qwen = new(() =>
        TestPaths.Shared("qwen2.5", "tokenizer.json") is { } path ? Tokenizer.Parse(File.ReadAllBytes(path), path) : null);

    [Fact]
    public void Walk_BenchmarkTools_AlwaysValid()
    {
        IReadOnlyList<string> schemas = BenchmarkSchemas.Load();
        Assert.SkipWhen(schemas.Count == 0, "shared/benchmarks is not there.");
        Assert.InRange(schemas.Count, 300, int.MaxValue);
        ConstraintCompiler compiler = Compiler(Nano.Value);
        for (int i = 0; i < schemas.Count; i++)
        {
            CheckArguments(compiler, Nano.Value, schemas[i], i, limit: 300 + (i % 3 * 100));
        }
    }

    [Fact]
    public void Walk_HardSchemas_AlwaysValid()
    {
        ConstraintCompiler compiler = Compiler(Nano.Value);
        for (int seed = 0; seed < 8; seed++)
        {
            foreach ((string _, string schema, string[] _, string[] _) in HardSchemas.All)
            {
                CheckValue(compiler, Nano.Value, schema, seed, limit: seed < 4 ? 400 : 120);
            }
        }
    }

    [Fact]
    public void Walk_GeneratedSchemas_AlwaysValid()
    {
        ConstraintCompiler compiler = Compiler(Nano.Value);
        int compiled = 0;
        for (int seed = 0; seed < 400; seed++)
        {
            string schema = new RandomSchemas(seed).Create();
            if (TryCheckValue(compiler, Nano.Value, schema, seed, limit: 300))
            {
                compiled++;
            }
        }

        // The others have no value at all (a multiple that no bound leaves, a pattern too short for its length).
        Assert.InRange(compiled, 320, 400);
    }

    [Fact]
    public void Walk_QwensVocabulary_AlwaysValid()
    {
        Assert.SkipWhen(Qwen.Value is null, "shared/qwen2.5 is not there.");
        ConstraintCompiler compiler = Compiler(Qwen.Value!);
        foreach ((string _, string schema, string[] _, string[] _) in HardSchemas.All)
        {
            string value = Walk(compiler.Json(schema, [], true, 0), Qwen.Value!, 1, Uniform, 200);
            Assert.True(JsonSchemaValidator.IsValid(schema, value), $"{schema} has no {value}");
        }
    }

    [Fact]
    public void Accepts_GeneratedValues_ExactlyThoseThatAreValid()
    {
        int valid = 0;
        int invalid = 0;
        for (int seed = 0; seed < 400; seed++)
        {
            RandomSchemas random = new(seed);
            string schema = random.Create();
            if (Compile(schema) is not { } grammar)
            {
                continue;
            }

            for (int i = 0; i < 20; i++)
            {
                string value = random.Value(schema);
                bool isValid = JsonSchemaValidator.IsValid(schema, value);
                bool accepts = GrammarMatcher.Accepts(grammar, Encoding.UTF8.GetBytes(value));
                Assert.True(accepts == isValid, $"seed {seed}: {value} is {(isValid ? "valid and refused" : "invalid and accepted")} by {schema}");
                _ = isValid ? valid++ : invalid++;
            }
        }

        Assert.InRange(valid, 2000, int.MaxValue);
        Assert.InRange(invalid, 500, int.MaxValue);
    }

    [Fact]
    public void Accepts_GeneratedValuesOfJsonAnswers_InEveryCommonLayout()
    {
        int accepted = 0;
        for (int seed = 0; seed < 200; seed++)
        {
            RandomSchemas random = new(seed);
            string schema = random.Create();
            if (Compile(schema, JsonStyle.Flexible) is not { } grammar)
            {
                continue;
            }

            for (int i = 0; i < 10; i++)
            {
                string value = random.Value(schema);

                // Enumerated arrays and objects have one spelling.
                bool isPromised = !schema.Contains("\"const\":[", StringComparison.Ordinal) && !System.Text.RegularExpressions.Regex.IsMatch(schema, "\"enum\":\\[[^\\]]*\\[");
                if (!isPromised || !JsonSchemaValidator.IsValid(schema, value))
                {
                    continue;
                }

                foreach ((string comma, string colon, string? indentation) in new[] { ("", "", null), (" ", " ", null), ("", " ", "  "), ("", " ", "\t") })
                {
                    string styled = RandomSchemas.Restyle(value, comma, colon, indentation);
                    Assert.True(GrammarMatcher.Accepts(grammar, Encoding.UTF8.GetBytes(styled)), $"seed {seed}: {styled} is refused by {schema}");
                    accepted++;
                }
            }
        }

        Assert.InRange(accepted, 1000, int.MaxValue);
    }

    private static ConstraintCompiler Compiler(Tokenizer tokenizer) =>
        new(tokenizer, [tokenizer.FindAddedToken("<|im_end|>")!.Value], AnswerMarkup.List, Patient);

    private static Grammar? Compile(string schema, JsonStyle? style = null)
    {
        try
        {
            return new Grammar(SchemaCompiler.Compile(schema, false, style ?? JsonStyle.Spaced, Patient), Patient.MaxNesting);
        }
        catch (ConstraintException)
        {
            return null;
        }
    }

    private static bool TryCheckValue(ConstraintCompiler compiler, Tokenizer tokenizer, string schema, int seed, int limit)
    {
        try
        {
            CheckValue(compiler, tokenizer, schema, seed, limit);
            return true;
        }
        catch (ConstraintException exception)
        {
            Assert.Contains("fulfil", exception.Message, StringComparison.Ordinal);
            return false;
        }
    }

    private static void CheckValue(ConstraintCompiler compiler, Tokenizer tokenizer, string schema, int seed, int limit)
    {
        AnswerConstraint constraint = compiler.Json(schema, [], true, seed % 4 == 3 ? 10 : 0);
        foreach (double temperature in new[] { 0, 0.5, Uniform })
        {
            string text = Walk(constraint, tokenizer, seed, temperature, limit);
            string value = text.Contains("</think>", StringComparison.Ordinal) ? text[(text.LastIndexOf("</think>", StringComparison.Ordinal) + 8)..] : text;
            Assert.True(JsonSchemaValidator.IsValid(schema, value), $"seed {seed}, temperature {temperature}: {schema} has no {text}");
        }
    }

    private static void CheckArguments(ConstraintCompiler compiler, Tokenizer tokenizer, string schema, int seed, int limit)
    {
        AnswerConstraint constraint = compiler.RequireCalls([new ConstrainedTool("tool", schema)], isParallel: false, seed % 2 == 0 ? 0 : 4);
        double temperature = new[] { 0, 1, Uniform }[seed % 3];
        string text = Walk(constraint, tokenizer, seed, temperature, limit);
        string call = text[(text.LastIndexOf("<tool_call>", StringComparison.Ordinal) + 11)..^"</tool_call>".Length];
        using JsonDocument document = JsonDocument.Parse(call);
        string arguments = document.RootElement[0].GetProperty("arguments").GetRawText();
        Assert.True(JsonSchemaValidator.IsValid(schema, arguments), $"seed {seed}: {schema} has no {arguments}");
    }

    /// <summary>An answer of a model that prefers tokens at random, up to its end or the limit.</summary>
    private static string Walk(AnswerConstraint constraint, Tokenizer tokenizer, int seed, double temperature, int limit)
    {
        int end = tokenizer.FindAddedToken("<|im_end|>")!.Value;
        ITokenConstraint sequence = constraint.Start();
        Random random = new(seed);
        List<int> ids = [];
        while (ids.Count < limit)
        {
            int remaining = limit - ids.Count;
            foreach (int token in seed % 2 == 0 && remaining > 1 ? sequence.Forced(remaining).Take(remaining - 1) : [])
            {
                sequence.Accept(token);
                ids.Add(token);
            }

            int next = Choose(sequence.Allowed(limit - ids.Count).Span, random, seed, temperature);
            Assert.True(next >= 0, $"The mask is empty after {tokenizer.Decode(ids)}, seed {seed}, {limit - ids.Count} tokens left.");
            sequence.Accept(next);
            if (next == end)
            {
                break;
            }

            ids.Add(next);
        }

        // Thinking may be cut within a character; what is JSON may not.
        string text = tokenizer.Decode(ids);
        Assert.True(text.Contains("</think>", StringComparison.Ordinal) || !text.Contains('\uFFFD', StringComparison.Ordinal), text);
        return text;
    }

    // Temperature 0: always the same preferences, so that a liked token comes again and again. Above: fresh noise is mixed in,
    // until nothing else is left.
    private static int Choose(ReadOnlySpan<ulong> mask, Random random, int seed, double temperature)
    {
        int allowed = 0;
        foreach (ulong word in mask)
        {
            allowed += BitOperations.PopCount(word);
        }

        int chosen = random.Next(Math.Max(1, allowed));
        int best = -1;
        double bestScore = double.NegativeInfinity;
        for (int word = 0; word < mask.Length; word++)
        {
            for (ulong bits = mask[word]; bits != 0; bits &= bits - 1)
            {
                int token = (word * 64) + BitOperations.TrailingZeroCount(bits);
                double score = temperature == Uniform ? (chosen-- == 0 ? 1 : 0) : Preference(token, seed) + (temperature == 0 ? 0 : temperature * random.NextDouble());
                if (score > bestScore)
                {
                    (best, bestScore) = (token, score);
                }
            }
        }

        return best;
    }

    private static double Preference(int token, int seed)
    {
        uint hash = (uint)(((token + 1) * 2654435761L) ^ (seed * 40503L));
        hash ^= hash >> 15;
        hash *= 2246822519;
        return hash / (double)uint.MaxValue;
    }
}
