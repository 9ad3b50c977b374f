using System.Text;
using System.Text.Json;
using ToolN1.Engine.Constraints;
using ToolN1.Engine.Tokenization;
using ToolN1.TestSupport;

namespace ToolN1.Fuzz.Targets;

/// <summary>A JSON schema: refused with a pointer, or compiled into a constraint under which any choice of allowed tokens ends in JSON.</summary>
internal sealed class SchemaTarget : IFuzzTarget
{
    private const int EndToken = 1;
    private const int MostTokens = 160;

    private static readonly ConstraintBudget Budget = new() { MaxSchemaBytes = 1 << 16, MaxSubschemas = 2000, MaxStates = 40_000, MaxTime = TimeSpan.FromSeconds(2) };

    private readonly Lazy<(Tokenizer Tokenizer, ConstraintCompiler Compiler)> _served = new(() =>
    {
        Tokenizer tokenizer = Tokenizer.Load(TinyCheckpoint.WriteTokenizer(Directory.CreateTempSubdirectory("tooln1-fuzz-").FullName));
        return (tokenizer, new ConstraintCompiler(tokenizer, [EndToken], AnswerMarkup.List, Budget, cacheBytes: 1 << 20));
    });

    public string Name => "schema";

    public IReadOnlyList<string> Dictionary { get; } =
    [
        "\"type\":\"object\"", "\"type\":\"string\"", "\"type\":\"integer\"", "\"type\":\"number\"", "\"type\":[\"array\",\"null\"]", "\"properties\":{", "\"required\":[\"a\"]", "\"additionalProperties\":false",
        "\"enum\":[", "\"const\":", "\"anyOf\":[{},", "\"oneOf\":[", "\"allOf\":[{", "\"$ref\":\"#\"", "\"$ref\":\"#/$defs/a\"", "\"$defs\":{\"a\":", "\"items\":{", "\"prefixItems\":[", "\"minItems\":", "\"maxItems\":",
        "\"minLength\":", "\"maxLength\":", "\"pattern\":\"^(a|b)*$\"", "\"pattern\":\"(((a+)+)+)+$\"", "\"format\":\"date-time\"", "\"format\":\"ipv6\"", "\"minimum\":", "\"exclusiveMaximum\":", "\"multipleOf\":", "\"not\":{}",
        "\"patternProperties\":{\"^x\":", "\"minProperties\":2", "\"uniqueItems\":true",
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        string schema = Encoding.UTF8.GetString(input);
        (Tokenizer tokenizer, ConstraintCompiler compiler) = _served.Value;
        AnswerConstraint constraint;
        try
        {
            constraint = compiler.Json(schema, [], isParallel: false, thinkingTokens: 0);
        }
        catch (ConstraintException)
        {
            return;
        }

        ITokenConstraint walk = constraint.Start();
        List<int> tokens = [];
        uint chance = (uint)input.Length + 1;
        while (tokens.Count < MostTokens)
        {
            int token = Choose(walk.Allowed(MostTokens - tokens.Count).Span, ref chance);
            walk.Accept(token);
            if (token == EndToken)
            {
                using JsonDocument value = JsonDocument.Parse(tokenizer.Decode(tokens), new JsonDocumentOptions { MaxDepth = 200 });
                return;
            }

            tokens.Add(token);
        }
    }

    /// <summary>One of the allowed tokens, by a small generator that the input seeds.</summary>
    private static int Choose(ReadOnlySpan<ulong> mask, ref uint chance)
    {
        int count = 0;
        foreach (ulong word in mask)
        {
            count += System.Numerics.BitOperations.PopCount(word);
        }

        if (count == 0)
        {
            throw new InvalidOperationException("nothing is allowed");
        }

        chance = (chance * 1_664_525) + 1_013_904_223;
        int skip = (int)((chance >> 8) % (uint)count);
        for (int word = 0; ; word++)
        {
            for (ulong bits = mask[word]; bits != 0; bits &= bits - 1)
            {
                if (skip-- == 0)
                {
                    return (word * 64) + System.Numerics.BitOperations.TrailingZeroCount(bits);
                }
            }
        }
    }
}
