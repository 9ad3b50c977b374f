using ToolN1.Engine.Chat;
using ToolN1.Engine.Tokenization;
using ToolN1.Training.Data;
using ToolN1.Training.Rewards;

namespace ToolN1.Training.Grpo;

/// <summary>A row to answer.</summary>
/// <param name="Index">Its place in the data, for samples and events.</param>
/// <param name="Row">The row.</param>
/// <param name="Prompt">Its prompt's ids, as the server would send them.</param>
internal sealed record PromptRow(int Index, TrainingRow Row, int[] Prompt);

/// <summary>The encoded prompts of a run. Immutable; the order in which they are drawn is a function of seed and epoch.</summary>
internal sealed class PromptDataset
{
    private readonly PromptRow[] _rows;
    private readonly int _seed;
    private int[] _order = [];
    private int _orderEpoch = -1;

    private PromptDataset(PromptRow[] rows, int tooLong, int inWords, int seed)
    {
        _rows = rows;
        _seed = seed;
        (TooLong, InWords) = (tooLong, inWords);
    }

    /// <summary>Rows to draw from.</summary>
    public int Count => _rows.Length;

    /// <summary>Rows left out for their prompt's length.</summary>
    public int TooLong { get; }

    /// <summary>Rows left out because they are answered in words.</summary>
    public int InWords { get; }

    /// <summary>Reads and encodes a run's files.</summary>
    /// <param name="config">The run.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="format">The chat format served.</param>
    /// <param name="maxModelLength">Most tokens of prompt and response that the engine takes.</param>
    /// <param name="needsCalls">Whether answers are compared with the rows' calls, so that rows without them teach nothing.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="TrainingDataException">A line is not a row, or cannot be judged, or no row is left.</exception>
    public static PromptDataset Load(GrpoConfig config, Tokenizer tokenizer, IChatFormat format, int maxModelLength, bool needsCalls, CancellationToken cancellationToken)
    {
        int longest = Math.Min(config.MaxPromptTokens, maxModelLength - config.MaxResponseTokens);
        TrainingRow?[] rows = [.. config.Data.SelectMany(file => needsCalls ? CallRows.Read(file) : TrainingRowReader.Read(file))];
        cancellationToken.ThrowIfCancellationRequested();
        PromptRow[] encoded = [.. rows.Select((row, index) => (row, index)).Where(item => item.row is not null).AsParallel().AsOrdered()
            .Select(item => new PromptRow(item.index, item.row!, format.Render(item.row!.Conversation, item.row.Tools, addGenerationPrompt: true).Encode(tokenizer)))];
        PromptRow[] kept = [.. encoded.Where(row => row.Prompt.Length <= longest)];
        int inWords = rows.Length - encoded.Length;
        return kept.Length > 0
            ? new PromptDataset(kept, encoded.Length - kept.Length, inWords, config.Seed)
            : throw new TrainingDataException(string.Join(", ", config.Data), 0, $"there is no row to sample from: {encoded.Length} have prompts of more than {longest} tokens, {inWords} are answered in words");
    }

    /// <summary>The next rows.</summary>
    /// <param name="cursor">Where to go on; moved behind the last row taken.</param>
    /// <param name="count">How many.</param>
    public List<PromptRow> Draw(DataCursor cursor, int count)
    {
        List<PromptRow> drawn = [];
        while (drawn.Count < count)
        {
            drawn.Add(_rows[OrderOf(cursor.Epoch)[cursor.Position++]]);
            if (cursor.Position == _rows.Length)
            {
                cursor.Position = 0;
                cursor.Epoch++;
            }
        }

        return drawn;
    }

    private int[] OrderOf(int epoch)
    {
        if (_orderEpoch != epoch)
        {
            _order = [.. Enumerable.Range(0, _rows.Length)];
            new Random(Seeds.Combine(_seed, epoch)).Shuffle(_order);
            _orderEpoch = epoch;
        }

        return _order;
    }
}
