using System.Collections.Concurrent;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.Bfcl;

/// <summary>
/// Scores completions of the Berkeley Function-Calling Leaderboard (v3, single turn) as its official parser, decoder and
/// AST checker do, at the paper's commit. Thread-safe.
/// </summary>
/// <param name="folder">The data: see <see cref="Categories"/> for what it holds.</param>
/// <param name="fixedRules">True: put the official checker's quirks right (docs/evaluation.md).</param>
public sealed class BfclScorer(string folder, bool fixedRules = false)
{
    private readonly BfclChecker _checker = new(fixedRules);
    private readonly ConcurrentDictionary<string, (BfclCategory Category, IReadOnlyList<BfclCase> Cases)> _loaded = new(StringComparer.Ordinal);

    /// <summary>The categories for which the folder has questions, such as <c>simple</c> or <c>live_multiple</c>.</summary>
    public IReadOnlyList<string> Categories => BfclData.Categories(folder);

    /// <summary>The number of cases of a category.</summary>
    /// <exception cref="InvalidDataException">The category's files are missing or malformed.</exception>
    public int Count(string category) => Load(category).Cases.Count;

    /// <summary>The verdict on a model's full text for one case.</summary>
    /// <param name="category">The category's name without prefix.</param>
    /// <param name="index">The case's 0-based line in the category's file.</param>
    /// <param name="completion">All that the model wrote, think text included.</param>
    /// <exception cref="InvalidDataException">The category's files are missing or malformed, or the index is not in it.</exception>
    public EvaluationVerdict Score(string category, int index, string completion) => Score(category, index, completion, out _);

    /// <inheritdoc cref="Score(string, int, string)"/>
    /// <param name="category">The category's name without prefix.</param>
    /// <param name="index">The case's 0-based line in the category's file.</param>
    /// <param name="completion">All that the model wrote, think text included.</param>
    /// <param name="read">The calls of the first block; null where it is none or broken.</param>
    internal EvaluationVerdict Score(string category, int index, string completion, out List<BfclCall>? read)
    {
        (BfclCategory kind, IReadOnlyList<BfclCase> cases) = Load(category);
        if (index < 0 || index >= cases.Count)
        {
            throw new InvalidDataException($"BFCL category '{category}' has {cases.Count} cases; there is no index {index}.");
        }

        string? error = BfclReply.Decode(completion, out List<BfclCall> calls);
        read = error is null ? calls : null;
        if (kind.IsIrrelevance || kind.IsRelevance)
        {
            return Abstention(kind, completion, error is null && calls.Count > 0);
        }

        if (error is not null)
        {
            return EvaluationVerdict.Wrong(error);
        }

        try
        {
            return _checker.Check(kind, cases[index], calls);
        }
        catch (PyException e)
        {
            // The official run would stop here; one reply must not stop ours.
            return EvaluationVerdict.Wrong("checker_error:" + e.Type, e.Message);
        }
    }

    private EvaluationVerdict Abstention(BfclCategory kind, string completion, bool hasCall)
    {
        if (kind.IsRelevance)
        {
            return hasCall ? EvaluationVerdict.Correct : EvaluationVerdict.Wrong("relevance_error:decoder_failed", "no call");
        }

        if (hasCall)
        {
            return EvaluationVerdict.Wrong("irrelevance_error:decoder_success", "should have abstained");
        }

        // Quirk: a broken call counts as abstaining.
        return fixedRules && BfclReply.HasBlock(completion) && BfclReply.Decode(completion, out _) is string error
            ? EvaluationVerdict.Wrong(error, "a broken call is no abstention")
            : EvaluationVerdict.Correct;
    }

    private (BfclCategory Category, IReadOnlyList<BfclCase> Cases) Load(string category) => _loaded.GetOrAdd(category, name =>
    {
        BfclCategory kind = new(name);
        return (kind, BfclData.Load(folder, kind));
    });
}
