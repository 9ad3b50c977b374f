using ToolN1.Engine.Chat;
using ToolN1.Engine.Constraints.Automata;
using ToolN1.Engine.Constraints.Masks;
using ToolN1.Engine.Constraints.Schemas;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Tokenization;
using static ToolN1.Engine.Tokenization.MarkupTokens;

namespace ToolN1.Engine.Constraints;

/// <summary>
/// Builds the constraints of answers for one served model, and keeps compiled schemas in a byte-capped cache. Thread-safe;
/// call it off the engine's thread.
/// </summary>
public sealed class ConstraintCompiler
{
    private static readonly Rule Gap = new LiteralSetRule([[], " "u8.ToArray(), "\n"u8.ToArray(), "\n\n"u8.ToArray()]);
    private static readonly Rule NoArguments = new LiteralSetRule("{}");

    // One instance each, so that their masks are found once.
    private static readonly TableRule ThinkingText = FreeTextRules.Until(ThinkClose);
    private static readonly TableRule WithoutCalls = FreeTextRules.Without(CallOpen, ThinkOpen);
    private static readonly TableRule BeforeCalls = FreeTextRules.Until(CallOpen, ThinkOpen);
    private static readonly TableRule VisibleText = FreeTextRules.Visible();
    private static readonly TableRule WithoutThinking = FreeTextRules.NotBeginningWith(ThinkOpen);
    private readonly Lazy<VocabularyIndex> _vocabulary;
    private readonly Tokenizer _tokenizer;
    private readonly IReadOnlyList<int> _endTokens;
    private readonly AnswerMarkup _markup;
    private readonly ConstraintBudget _budget;
    private readonly SchemaCache _cache;

    /// <summary>Creates a compiler.</summary>
    /// <param name="tokenizer">The model's vocabulary.</param>
    /// <param name="endTokens">Ids that end an answer, at least one.</param>
    /// <param name="markup">How the model writes calls.</param>
    /// <param name="budget">What one schema may cost.</param>
    /// <param name="cacheBytes">Memory for compiled schemas.</param>
    /// <param name="maskBytes">Memory for token masks that constraints share.</param>
    public ConstraintCompiler(
        Tokenizer tokenizer,
        IReadOnlyList<int> endTokens,
        AnswerMarkup markup,
        ConstraintBudget? budget = null,
        long cacheBytes = 64L << 20,
        long maskBytes = 96L << 20)
    {
        ArgumentOutOfRangeException.ThrowIfZero(endTokens.Count);
        _tokenizer = tokenizer;
        _vocabulary = new Lazy<VocabularyIndex>(() => new VocabularyIndex(tokenizer, maskBytes));
        _endTokens = endTokens;
        _markup = markup;
        _budget = budget ?? ConstraintBudget.Default;
        _cache = new SchemaCache(cacheBytes);
    }

    /// <summary>Memory that compiled schemas take, about.</summary>
    public long CachedBytes => _cache.Bytes;

    /// <summary>Memory that token masks take, about.</summary>
    public long MaskBytes => _vocabulary.IsValueCreated ? _vocabulary.Value.CachedBytes : 0;

    /// <summary>The compiler of a served model: its answers end at its end-of-sequence ids and at those of the format's turns.</summary>
    public static ConstraintCompiler Create(Tokenizer tokenizer, IChatFormat format, ModelInfo model, EngineOptions options) => new(
        tokenizer,
        [.. model.EndOfSequenceIds.Union(format.StopTokens.Select(tokenizer.FindAddedToken).OfType<int>())],
        format.Markup,
        cacheBytes: (long)options.ConstraintCacheMiB << 20,
        maskBytes: (long)options.MaskCacheMiB << 20);

    /// <summary>
    /// Builds the index of the vocabulary, and the masks and formats that every constraint shares, about a second for 150,000
    /// tokens; else the first constraint does.
    /// </summary>
    /// <exception cref="ConstraintException">Some byte of UTF-8 has no token, so that constraints cannot be served.</exception>
    public void WarmUp()
    {
        StringFormats.WarmUp();
        MaskBuilder builder = new(_vocabulary.Value);
        ulong[] mask = new ulong[_vocabulary.Value.Words];
        foreach (Rule rule in new Rule[] { ThinkingText, WithoutCalls, BeforeCalls, WithoutThinking, VisibleText, CountedStringRule.Any })
        {
            int states = rule is CountedStringRule ? JsonStringTable.States : rule.StoredStates;
            for (int state = 0; state < states; state++)
            {
                builder.Add(new Frame(rule, state, null, 0), mask, MaskLimit.None);
            }
        }
    }

    /// <summary>An answer that calls at least one of the tools: thinking, then the calls.</summary>
    /// <param name="tools">At least one; names distinct.</param>
    /// <param name="isParallel">Whether there may be several calls.</param>
    /// <param name="thinkingTokens">Tokens after which thinking is closed; 0 leaves thinking out.</param>
    /// <exception cref="ConstraintException">A schema cannot be enforced.</exception>
    public AnswerConstraint RequireCalls(IReadOnlyList<ConstrainedTool> tools, bool isParallel, int thinkingTokens)
    {
        Rule calls = new SequenceRule(new TagRule(CallOpen, _tokenizer), AfterOpen(tools, isParallel, 1));
        return _markup == AnswerMarkup.List && thinkingTokens > 0
            ? Create(Thought(thinkingTokens, calls, out ThinkingRule thinking), thinking)
            : AfterThinking(thinkingTokens, calls);
    }

    /// <summary>An answer that is free until the model opens a call; from there the calls follow the tools' schemas.</summary>
    /// <param name="tools">At least one; names distinct.</param>
    /// <param name="isParallel">Whether there may be several calls.</param>
    /// <param name="thinkingTokens">Tokens after which thinking is closed; 0 leaves thinking out.</param>
    /// <exception cref="ConstraintException">A schema cannot be enforced.</exception>
    public AnswerConstraint AllowCalls(IReadOnlyList<ConstrainedTool> tools, bool isParallel, int thinkingTokens) => AfterThinking(
        thinkingTokens,
        new UnionRule([
            WithoutCalls,
            new SequenceRule(BeforeCalls, AfterOpen(tools, isParallel, 0)),
        ]));

    /// <summary>Any answer, but for the length of its thinking.</summary>
    /// <param name="thinkingTokens">Tokens after which thinking is closed; 0 leaves thinking out.</param>
    public AnswerConstraint FreeText(int thinkingTokens) => AfterThinking(thinkingTokens, WithoutThinking);

    /// <summary>Any text that begins with a visible character, and with no tag.</summary>
    public AnswerConstraint Words() => Create(VisibleText, null);

    /// <summary>An answer that is JSON, or calls where tools are given; after thinking if the model wants.</summary>
    /// <param name="schemaJson">JSON Schema of the value; null for any object.</param>
    /// <param name="tools">Tools that may be called instead; names distinct.</param>
    /// <param name="isParallel">Whether there may be several calls.</param>
    /// <param name="thinkingTokens">Tokens after which thinking is closed; 0 leaves thinking out.</param>
    /// <exception cref="ConstraintException">A schema cannot be enforced.</exception>
    public AnswerConstraint Json(string? schemaJson, IReadOnlyList<ConstrainedTool> tools, bool isParallel, int thinkingTokens) =>
        Json(schemaJson is null ? JsonStyle.Flexible.AnyObject : Schema(schemaJson, false, JsonStyle.Flexible), tools, isParallel, thinkingTokens);

    /// <summary>An answer that is any JSON value, or calls where tools are given; after thinking if the model wants.</summary>
    /// <param name="tools">Tools that may be called instead; names distinct.</param>
    /// <param name="isParallel">Whether there may be several calls.</param>
    /// <param name="thinkingTokens">Tokens after which thinking is closed; 0 leaves thinking out.</param>
    /// <exception cref="ConstraintException">A tool's schema cannot be enforced.</exception>
    public AnswerConstraint AnyJson(IReadOnlyList<ConstrainedTool> tools, bool isParallel, int thinkingTokens) =>
        Json(JsonStyle.Flexible.Any, tools, isParallel, thinkingTokens);

    private AnswerConstraint Json(Rule value, IReadOnlyList<ConstrainedTool> tools, bool isParallel, int thinkingTokens) =>
        AfterThinking(thinkingTokens, tools.Count == 0
            ? value
            : new UnionRule([value, new SequenceRule(new TagRule(CallOpen, _tokenizer), AfterOpen(tools, isParallel, 1))]));

    /// <summary>The answer, after thinking if the model wants.</summary>
    private AnswerConstraint AfterThinking(int thinkingTokens, Rule answer) => thinkingTokens == 0
        ? Create(answer, null)
        : Create(new UnionRule([new SequenceRule(Gap, Thought(thinkingTokens, answer, out ThinkingRule thinking)), answer]), thinking);

    private SequenceRule Thought(int tokens, Rule answer, out ThinkingRule thinking)
    {
        thinking = new ThinkingRule(ThinkingText, new TagRule(ThinkClose, _tokenizer), tokens);
        return new SequenceRule(new TagRule(ThinkOpen, _tokenizer), thinking.Text, Gap, answer);
    }

    private AnswerConstraint Create(Rule root, ThinkingRule? thinking)
    {
        SchemaCompiler.Settle(root, new CompileGuard(_budget));

        // The list and the call around the arguments are two levels more.
        return new AnswerConstraint(new Grammar(root, _budget.MaxNesting + 2), _vocabulary.Value, _endTokens, thinking);
    }

    private Rule AfterOpen(IReadOnlyList<ConstrainedTool> tools, bool isParallel, int min)
    {
        CallRule call = new([.. tools.Select(tool => (tool.Name, Arguments(tool)))]);
        if (_markup == AnswerMarkup.List)
        {
            ArrayRule list = new(JsonStyle.Spaced, [], call, min, isParallel ? int.MaxValue : 1);
            Rule space = new LiteralSetRule([[], " "u8.ToArray()]);
            return new SequenceRule(space, list, new TagRule(CallClose, _tokenizer));
        }

        // Each block is one call; after a block the answer ends, or another block begins.
        Rule line = new LiteralSetRule("\n");
        UnionRule more = new();
        Rule block = new SequenceRule(line, call, line, new TagRule(CallClose, _tokenizer), more);
        more.Set(isParallel ? [new LiteralSetRule(""), new SequenceRule(line, new TagRule(CallOpen, _tokenizer), block)] : [new LiteralSetRule("")]);
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
            throw new ConstraintException(exception.Pointer, exception.Reason, tool.Name);
        }
    }

    private Rule Schema(string json, bool onlyObjects, JsonStyle style) =>
        _cache.GetOrAdd(json, onlyObjects, style, () => SchemaCompiler.Compile(json, onlyObjects, style, _budget));
}
