using ToolN1.Training.Data.Synthetic;

namespace ToolN1.Training.Data.Paper;

/// <summary>
/// The published script's choices, in exact counts: of n rows int(share · n) get a twin, drawn without replacement; of all
/// rows with their twins int((1 − v) · n) are trained on and int(v · n) held out, wherever they come from. What both
/// roundings leave over is on neither side (of the paper's 69,653 rows one: 62,687 and 6,965). Rows are drawn in their order,
/// each as likely as any, so that none has to be held in memory.
/// </summary>
internal sealed class PublishedDraw
{
    private readonly Sample _twins;
    private readonly Sample _training;
    private readonly Sample _validation;

    /// <param name="options">Shares and seed.</param>
    /// <param name="mayHaveTwin">For every row that is kept, in order: whether tools remain without the called ones.</param>
    public PublishedDraw(PaperDatasetOptions options, IReadOnlyList<bool> mayHaveTwin)
    {
        // Twins are rows of the split too; how many there are shows once they are drawn, here and then again.
        Sample trial = Twins(options, mayHaveTwin.Count);
        _twins = Twins(options, mayHaveTwin.Count);
        int rows = mayHaveTwin.Count + mayHaveTwin.Count(possible => trial.Draw() && possible);
        int training = (int)((1 - options.Validation) * rows);
        _training = new Sample(Random(options, "split"), rows, training);
        _validation = new Sample(Random(options, "validation"), rows - training, Math.Min((int)(options.Validation * rows), rows - training));
    }

    /// <summary>Whether the next row is drawn for a twin; asked once a row, in order.</summary>
    public bool DrawTwin() => _twins.Draw();

    /// <summary>Where the next row goes, or the twin right after its row: true for validation, null for neither side.</summary>
    public bool? DrawSide() => _training.Draw() ? false : _validation.Draw() ? true : null;

    private static Sample Twins(PaperDatasetOptions options, int rows) => new(Random(options, "irrelevance"), rows, (int)(options.Irrelevance * rows));

    private static SeededRandom Random(PaperDatasetOptions options, string purpose) => new(SeededRandom.Hash($"{options.Seed}\n{purpose}"));

    /// <summary>Exactly <paramref name="wanted"/> of <paramref name="left"/> places in a row, every choice as likely as any.</summary>
    private sealed class Sample(SeededRandom random, int left, int wanted)
    {
        /// <summary>Whether the next place is among them.</summary>
        public bool Draw()
        {
            bool drawn = random.Below(left--) < wanted;
            wanted -= drawn ? 1 : 0;
            return drawn;
        }
    }
}
