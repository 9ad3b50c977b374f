using ToolN1.Engine.Constraints.Automata;
using ToolN1.Engine.Constraints.Masks;
using ToolN1.Engine.Constraints.Schemas;

namespace ToolN1.Engine.Constraints;

/// <summary>
/// Builds the constraints of answers for one served model, and keeps compiled schemas in a byte-capped cache. Thread-safe;
/// call it off the engine's thread.
/// </summary>
public sealed class ConstraintCompiler
{
    private const string ThinkOpen = "<think>";
    private const string ThinkClose = "</think>";
    private const string CallOpen = "<tool_call>";
    private const string CallClose = "</tool_call>";
    private static readonly Rule Gap = new LiteralSetRule([[], " "u8.ToArray(), "\n"u8.ToArray(), "\n\n"u8.ToArray()]);
    private static readonly Rule NoArguments = new LiteralSetRule("{}");
    private readonly VocabularyIndex _vocabulary;
    private readonly IReadOnlyList<int> _endTokens;
    private readonly AnswerMarkup _markup;
    private readonly ConstraintBudget _budget;
    private readonly SchemaCache _cache;

    /// <summary>Creates a compiler.</summary>
    /// <param name="vocabulary">The model's tokens.</param>
    /// <param name="endTokens">Ids that end an answer, at least one.</param>
    /// <param name="markup">How the model writes calls.</param>
    /// <param name="budget">What one schema may cost.</param>
    /// <param name="cacheBytes">Memory for compiled schemas.</param>
    public ConstraintCompiler(
        VocabularyIndex vocabulary, IReadOnlyList<int> endTokens, AnswerMarkup markup, ConstraintBudget? budget = null, long cacheBytes = 64L << 20)
    {
        _vocabulary = vocabulary;
        _endTokens = endTokens;
        _markup = markup;
        _budget = budget ?? ConstraintBudget.Default;
        _cache = new SchemaCache(cacheBytes);
    }

    /// <summary>Memory that compiled schemas take, about.</summary>
    public long CachedBytes => _cache.Bytes;

    /// <summary>Memory that token masks take, about.</summary>
    public long MaskBytes => _vocabulary.CachedBytes;

    /// <summary>An answer that calls at least one of the tools: thinking, then the calls.</summary>
    /// <param name="tools">At least one; names distinct.</param>
    /// <param name="isParallel">Whether there may be several calls.</param>
    /// <param name="thinkingTokens">Tokens after which thinking is closed; 0 leaves thinking out.</param>
    /// <exception cref="ConstraintException">A schema cannot be enforced; the pointer begins with the tool's name.</exception>
    public AnswerConstraint RequireCalls(IReadOnlyList<ConstrainedTool> tools, bool isParallel, int thinkingTokens)
    {
        Rule calls = new SequenceRule(Tag(CallOpen), AfterOpen(tools, isParallel, 1));
        ThinkingRule thinking = Thinking(thinkingTokens);
        Rule thought = new SequenceRule(new LiteralSetRule(ThinkOpen), thinking.Text, Gap, calls);
        Rule root = thinkingTokens == 0 ? calls : _markup == AnswerMarkup.List ? thought : new UnionRule([thought, calls]);
        return Create(root, thinking);
    }

    /// <summary>An answer that is free until the model opens a call; from there the calls follow the tools' schemas.</summary>
    /// <param name="tools">At least one; names distinct.</param>
    /// <param name="isParallel">Whether there may be several calls.</param>
    /// <exception cref="ConstraintException">A schema cannot be enforced; the pointer begins with the tool's name.</exception>
    public AnswerConstraint AllowCalls(IReadOnlyList<ConstrainedTool> tools, bool isParallel)
    {
        Rule content = new UnionRule([
            FreeTextRules.Without(CallOpen),
            new SequenceRule(FreeTextRules.Until(CallOpen), AfterOpen(tools, isParallel, 0)),
        ]);
        ThinkingRule thinking = Thinking(int.MaxValue);
        Rule thought = new SequenceRule(new LiteralSetRule(ThinkOpen), thinking.Text, content);
        return Create(new UnionRule([thought, content]), thinking);
    }

    /// <summary>An answer that is JSON, after thinking if the model wants.</summary>
    /// <param name="schemaJson">JSON Schema of the value; null for any object.</param>
    /// <param name="thinkingTokens">Tokens after which thinking is closed; 0 leaves thinking out.</param>
    /// <exception cref="ConstraintException">The schema cannot be enforced.</exception>
    public AnswerConstraint Json(string? schemaJson, int thinkingTokens)
    {
        Rule value = schemaJson is null ? JsonStyle.Flexible.AnyObject : Schema(schemaJson, false, JsonStyle.Flexible);
        ThinkingRule thinking = Thinking(thinkingTokens);
        Rule thought = new SequenceRule(new LiteralSetRule(ThinkOpen), thinking.Text, Gap, value);
        return Create(thinkingTokens == 0 ? value : new UnionRule([thought, value]), thinking);
    }

    private AnswerConstraint Create(Rule root, ThinkingRule thinking)
    {
        SchemaCompiler.Settle(root, new CompileGuard(_budget));

        // The list and the call around the arguments are two levels more.
        return new AnswerConstraint(new Grammar(root, _budget.MaxNesting + 2), _vocabulary, _endTokens, thinking);
    }

    private static ThinkingRule Thinking(int tokens) =>
        new(FreeTextRules.Until(ThinkClose), new LiteralSetRule(ThinkClose), tokens);

    private TagRule Tag(string text) => new(text, _vocabulary.Tokenizer.FindAddedToken(text));

    private Rule AfterOpen(IReadOnlyList<ConstrainedTool> tools, bool isParallel, int min)
    {
        CallRule call = new([.. tools.Select(tool => (tool.Name, Arguments(tool)))]);
        if (_markup == AnswerMarkup.List)
        {
            ArrayRule list = new(JsonStyle.Spaced, [], call, min, isParallel ? int.MaxValue : 1);
            Rule space = new LiteralSetRule([[], " "u8.ToArray()]);
            return new SequenceRule(space, list, Tag(CallClose));
        }

        // Each block is one call; after a block the answer ends, or another block begins.
        Rule line = new LiteralSetRule("\n");
        UnionRule more = new();
        Rule block = new SequenceRule(line, call, line, Tag(CallClose), more);
        more.Set(isParallel ? [new LiteralSetRule(""), new SequenceRule(line, Tag(CallOpen), block)] : [new LiteralSetRule("")]);
        return block;
    }

    private Rule Arguments(ConstrainedTool tool)
    {
        if (!tool.Enforced)
        {
            return JsonStyle.Spaced.AnyObject;
        }

        if (tool.ParametersJson is null || tool.ParametersJson.Trim() is "" or "null" or "{}")
        {
            return NoArguments;
        }

        try
        {
            return Schema(tool.ParametersJson, true, JsonStyle.Spaced);
        }
        catch (ConstraintException exception)
        {
            throw new ConstraintException($"{tool.Name}#{exception.Pointer}", exception.Reason);
        }
    }

    private Rule Schema(string json, bool onlyObjects, JsonStyle style) =>
        _cache.GetOrAdd(json, onlyObjects, style, () => SchemaCompiler.Compile(json, onlyObjects, style, _budget));
}
