namespace ToolN1.Training.Passes;

/// <summary>Splits rows into one contiguous part a thread.</summary>
/// <param name="threads">At least one.</param>
internal sealed class RowParts(int threads)
{
    // Fewer rows are done before a second thread would have woken.
    private const int FewestRows = 64;

    /// <summary>Work on rows.</summary>
    /// <param name="part">Index of the part.</param>
    /// <param name="from">First row.</param>
    /// <param name="to">After the last.</param>
    public delegate void Body(int part, long from, long to);

    /// <summary>Work on rows that sums over them.</summary>
    /// <param name="sums">This part's own sums, zero at first.</param>
    /// <param name="from">First row.</param>
    /// <param name="to">After the last.</param>
    public unsafe delegate void SummingBody(float* sums, long from, long to);

    /// <summary>Runs all rows.</summary>
    public void Run(long rows, Body body)
    {
        int parts = Parts(rows);
        if (parts == 1)
        {
            body(0, 0, rows);
            return;
        }

        Parallel.For(0, parts, part => body(part, rows * part / parts, rows * (part + 1) / parts));
    }

    /// <summary>Runs all rows and adds the parts' sums to a total, in order.</summary>
    public unsafe void RunAndSum(long rows, int width, float* total, SummingBody body)
    {
        int parts = Parts(rows);
        float[] sums = new float[parts * width];
        fixed (float* first = sums)
        {
            float* begin = first;
            Run(rows, (part, from, to) => body(begin + ((long)part * width), from, to));
        }

        if (total != null)
        {
            for (int i = 0; i < sums.Length; i++)
            {
                total[i % width] += sums[i];
            }
        }
    }

    private int Parts(long rows) => rows < FewestRows * 2 ? 1 : threads;
}
