namespace ToolN1.Training.Data.Synthetic;

/// <summary>Writes the generator's rows as files.</summary>
public static class SyntheticDataset
{
    /// <summary>
    /// Writes <c>train-1.jsonl</c>, <c>train-2.jsonl</c>, <c>train-3.jsonl</c> (a quarter, a quarter and half of the
    /// rows), <c>validation.jsonl</c> and <c>heldout/SET-CATEGORY.jsonl</c>.
    /// </summary>
    /// <param name="folder">Made where it does not exist.</param>
    /// <param name="count">Training rows of all stages together.</param>
    /// <param name="heldOut">Rows of every held-out file.</param>
    /// <param name="seed">The same seed writes the same bytes.</param>
    /// <param name="generator">Makes the rows; its shares are those of the training files. Held-out sets do not depend on them.</param>
    public static void Write(string folder, int count, int heldOut, ulong seed, SyntheticGenerator generator)
    {
        Directory.CreateDirectory(Path.Combine(folder, "heldout"));
        SyntheticGenerator standard = new();
        TrainingRowWriter.Write(Path.Combine(folder, "train-1.jsonl"), generator.Training(1, count / 4, seed));
        TrainingRowWriter.Write(Path.Combine(folder, "train-2.jsonl"), generator.Training(2, count / 4, seed));
        TrainingRowWriter.Write(Path.Combine(folder, "train-3.jsonl"), generator.Training(3, count / 2, seed));
        List<TrainingRow> validation = [];
        foreach (string set in SyntheticGenerator.HeldOutSets)
        {
            foreach (string category in SyntheticGenerator.Categories)
            {
                TrainingRowWriter.Write(Path.Combine(folder, "heldout", $"{set}-{category}.jsonl"), standard.HeldOut(set, category, heldOut, seed));
                validation.AddRange(standard.HeldOut(set, category, 20, seed + 1));
            }
        }

        TrainingRowWriter.Write(Path.Combine(folder, "validation.jsonl"), validation);
    }
}
