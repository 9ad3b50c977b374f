using ToolN1.Engine.Chat;
using ToolN1.Engine.Tokenization;
using ToolN1.Training.Data;
using ToolN1.Training.Packing;

namespace ToolN1.Training.Sft;

/// <summary>The encoded rows of one phase. Immutable; the order in which they are drawn is a function of seed and epoch.</summary>
internal sealed class SftDataset
{
    private const int RowsAtATime = 4096;

    private readonly List<RowGroup> _groups;
    private readonly int _seed;
    private int[] _order = [];
    private int _orderEpoch = -1;

    private SftDataset(List<RowGroup> groups, int seed, SftDatasetSummary summary)
    {
        _groups = groups;
        _seed = seed;
        Summary = summary;
    }

    /// <summary>What was read and what was left out.</summary>
    public SftDatasetSummary Summary { get; }

    /// <summary>Reads and encodes a phase's files.</summary>
    /// <param name="config">The run.</param>
    /// <param name="phaseIndex">Which phase.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="format">The chat format served.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="TrainingDataException">A line is not a row, or has no reasoning to teach.</exception>
    public static SftDataset Load(SftConfig config, int phaseIndex, Tokenizer tokenizer, IChatFormat format, CancellationToken cancellationToken)
    {
        SftPhase phase = config.Phases[phaseIndex];
        RowEncoder encoder = new(tokenizer, format, phase.Prompt == "short");
        List<RowGroup> groups = [];
        int rows = 0, tooLong = 0, tooManyTools = 0;
        foreach (string file in phase.Data)
        {
            foreach (TrainingRow[] batch in Read(file).Chunk(RowsAtATime))
            {
                cancellationToken.ThrowIfCancellationRequested();
                rows += batch.Length;
                TrainingRow[] fitting = [.. batch.Where(row => phase.MaxTools is not int most || row.Tools.Count <= most)];
                tooManyTools += batch.Length - fitting.Length;
                (TrainingRow Row, int[] Prompt, int[] Answer)[] encoded = [.. fitting.AsParallel().AsOrdered()
                    .Select(row => (row, encoder.EncodePrompt(row), encoder.EncodeAnswer(row)))];
                (TrainingRow Row, int[] Prompt, int[] Answer)[] kept = [.. encoded.Where(item => item.Prompt.Length + item.Answer.Length <= phase.MaxTokens)];
                tooLong += encoded.Length - kept.Length;
                AddGroups(kept, config.SharedPrefixRows, groups);
            }
        }

        SftDatasetSummary summary = new(rows, groups.Sum(group => group.Rows.Count), groups.Count, groups.Sum(group => (long)group.TokenCount), tooLong, tooManyTools);
        return groups.Count > 0
            ? new SftDataset(groups, Seeds.Combine(config.Seed, phaseIndex), summary)
            : throw new TrainingDataException(string.Join(", ", phase.Data), 0, $"phase '{phase.Name}' has no row to train on ({tooLong} too long, {tooManyTools} with too many tools)");
    }

    /// <summary>The groups of the next step.</summary>
    /// <param name="cursor">Where to go on; moved behind the last group taken.</param>
    /// <param name="tokenBudget">Most tokens; one group is taken even if it has more.</param>
    /// <param name="rowBudget">Most rows; one group is taken even if it has more.</param>
    public List<RowGroup> Draw(DataCursor cursor, int tokenBudget, int rowBudget = int.MaxValue)
    {
        List<RowGroup> drawn = [];
        int tokens = 0;
        int rows = 0;
        while (true)
        {
            RowGroup next = _groups[OrderOf(cursor.Epoch)[cursor.Position]];
            if (drawn.Count > 0 && ((long)tokens + next.TokenCount > tokenBudget || rows + next.Rows.Count > rowBudget))
            {
                return drawn;
            }

            drawn.Add(next);
            tokens += next.TokenCount;
            rows += next.Rows.Count;
            cursor.Position++;
            if (cursor.Position == _groups.Count)
            {
                cursor.Position = 0;
                cursor.Epoch++;
            }
        }
    }

    private static IEnumerable<TrainingRow> Read(string file)
    {
        foreach ((int line, TrainingRow row) in TrainingRowReader.ReadLines(file))
        {
            yield return row.Think is null && row.Reply is null
                ? throw new TrainingDataException(file, line, "row has neither 'think' nor 'reply'; supervised training needs the reasoning, or the words, to teach")
                : row;
        }
    }

    private static void AddGroups((TrainingRow Row, int[] Prompt, int[] Answer)[] rows, int mostRows, List<RowGroup> groups)
    {
        for (int start = 0; start < rows.Length;)
        {
            int end = start + 1;
            while (end < rows.Length && end - start < mostRows && SharesPrefix(rows[start].Row, rows[end].Row))
            {
                end++;
            }

            groups.Add(RowGroup.Create([.. rows[start..end].Select(item => (item.Prompt, item.Answer))]));
            start = end;
        }
    }

    private static bool SharesPrefix(TrainingRow left, TrainingRow right) =>
        left.System == right.System && left.Tools.SequenceEqual(right.Tools);

    private int[] OrderOf(int epoch)
    {
        if (_orderEpoch != epoch)
        {
            _order = [.. Enumerable.Range(0, _groups.Count)];
            new Random(Seeds.Combine(_seed, epoch)).Shuffle(_order);
            _orderEpoch = epoch;
        }

        return _order;
    }
}

/// <summary>What a phase's files hold.</summary>
/// <param name="RowsRead">Rows in the files.</param>
/// <param name="RowsKept">Rows to train on.</param>
/// <param name="Groups">Groups with a shared prefix.</param>
/// <param name="Tokens">Tokens of one pass, shared prefixes counted once.</param>
/// <param name="TooLong">Rows left out for their length.</param>
/// <param name="TooManyTools">Rows left out for their tools.</param>
public sealed record SftDatasetSummary(int RowsRead, int RowsKept, int Groups, long Tokens, int TooLong, int TooManyTools);
