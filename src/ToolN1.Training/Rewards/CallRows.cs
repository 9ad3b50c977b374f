using ToolN1.Training.Data;

namespace ToolN1.Training.Rewards;

/// <summary>The rows whose right calls are known, which is what the Tool-N1 reward compares answers with.</summary>
public static class CallRows
{
    /// <summary>What keeps answers to a row from being compared with its calls; null when nothing does.</summary>
    public static string? Fault(TrainingRow row) =>
        row.Item is not null ? "it is a prompt with reference fields, which only a grader can judge"
        : row.Reply is not null ? "its answer is in words, which only a grader can judge"
        : null;

    /// <summary>Reads a rows file one by one; the file is open while the caller enumerates.</summary>
    /// <returns>The rows; null in the place of one that is answered in words.</returns>
    /// <exception cref="TrainingDataException">A line is not a row, or is a prompt that names no calls.</exception>
    public static IEnumerable<TrainingRow?> Read(string file)
    {
        foreach ((int line, TrainingRow row) in TrainingRowReader.ReadLines(file))
        {
            string? fault = Fault(row);
            yield return fault is null ? row
                : row.Item is null ? null
                : throw new TrainingDataException(file, line, fault);
        }
    }

    /// <summary>The first rows of a file of held-out ones.</summary>
    /// <param name="file">The file.</param>
    /// <param name="count">Most rows.</param>
    /// <param name="inWords">Raised by the rows passed by because they are answered in words.</param>
    /// <exception cref="TrainingDataException">A line is not a row, or is a prompt that names no calls.</exception>
    public static TrainingRow[] Take(string file, int count, ref int inWords)
    {
        List<TrainingRow> rows = [];
        foreach (TrainingRow? row in Read(file))
        {
            if (row is null)
            {
                inWords++;
                continue;
            }

            rows.Add(row);
            if (rows.Count == count)
            {
                break;
            }
        }

        return [.. rows];
    }
}
