using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using ToolN1.Engine.Constraints;
using ToolN1.Engine.Tokenization;

namespace ToolN1.Cli.Bench;

/// <summary>
/// Times compiling and masks as the engine asks for them, for answers that are random under the mask (forced stretches are
/// appended, tokens drawn from what is allowed). Wall-clock time, and the thread's processor time, which a busy machine does
/// not lengthen.
/// </summary>
internal sealed partial class MaskBench(Tokenizer tokenizer, int endToken)
{
    private const int ThinkingTokens = 16;
    private const int Limit = 1024;

    /// <summary>Measures once, with nothing compiled yet but what every server has after its start.</summary>
    /// <param name="lists">Tool lists.</param>
    /// <param name="stepsPerList">Sampled tokens of each.</param>
    /// <param name="seed">Of the draws.</param>
    public Dictionary<string, double> Measure(IReadOnlyList<ConstrainedTool[]> lists, int stepsPerList, int seed)
    {
        // No schema is kept: every compile is a first one.
        ConstraintCompiler compiler = new(tokenizer, [endToken], AnswerMarkup.List, cacheBytes: 0);
        compiler.WarmUp();
        Samples compiles = new();
        Samples masks = new();
        Samples advances = new();
        Random random = new(seed);
        int forced = 0;
        int refused = 0;
        foreach (ConstrainedTool[] tools in lists)
        {
            AnswerConstraint constraint;
            Samples.Moment begin = Samples.Now();
            try
            {
                constraint = compiler.RequireCalls(tools, isParallel: true, ThinkingTokens);
            }
            catch (ConstraintException)
            {
                refused++;
                continue;
            }

            compiles.Add(begin);
            ITokenConstraint sequence = constraint.Start();
            int remaining = Limit;
            for (int step = 0; step < stepsPerList; step++)
            {
                begin = Samples.Now();
                IReadOnlyList<int> certain = sequence.Forced(remaining);
                foreach (int token in certain)
                {
                    sequence.Accept(token);
                }

                advances.Add(begin);
                forced += certain.Count;
                remaining -= certain.Count;
                begin = Samples.Now();
                ReadOnlySpan<ulong> mask = sequence.Allowed(remaining).Span;
                masks.Add(begin);
                int next = Choose(mask, random);
                begin = Samples.Now();
                sequence.Accept(next);
                advances.Add(begin);
                if (next == endToken || --remaining < 2)
                {
                    sequence = constraint.Start();
                    remaining = Limit;
                }
            }
        }

        Dictionary<string, double> results = [];
        compiles.Report(results, "compile", "ms", 1000);
        masks.Report(results, "mask", "us", 1);
        advances.Report(results, "advance", "us", 1);
        results["lists"] = lists.Count - refused;
        results["lists refused"] = refused;
        results["masks"] = masks.Count;
        results["forced tokens"] = forced;
        results["mask cache MiB"] = compiler.MaskBytes / 1048576.0;
        return results;
    }

    private static int Choose(ReadOnlySpan<ulong> mask, Random random)
    {
        int count = 0;
        foreach (ulong word in mask)
        {
            count += System.Numerics.BitOperations.PopCount(word);
        }

        int chosen = random.Next(count);
        for (int word = 0; ; word++)
        {
            int here = System.Numerics.BitOperations.PopCount(mask[word]);
            if (chosen >= here)
            {
                chosen -= here;
                continue;
            }

            ulong bits = mask[word];
            for (; chosen > 0; chosen--)
            {
                bits &= bits - 1;
            }

            return (word * 64) + System.Numerics.BitOperations.TrailingZeroCount(bits);
        }
    }

    /// <summary>Durations in microseconds.</summary>
    private sealed partial class Samples
    {
        private const int ThreadClock = 3;
        private readonly List<double> _wall = [];
        private readonly List<double> _processor = [];

        public int Count => _wall.Count;

        public static Moment Now() => new(Stopwatch.GetTimestamp(), ThreadNanoseconds());

        public void Add(Moment begin)
        {
            long processor = ThreadNanoseconds();
            _wall.Add(Stopwatch.GetElapsedTime(begin.Wall).TotalMicroseconds);
            _processor.Add((processor - begin.Processor) / 1000.0);
        }

        public void Report(Dictionary<string, double> results, string name, string unit, double divisor)
        {
            foreach ((string clock, List<double> values) in new[] { ("processor", _processor), ("wall", _wall) })
            {
                double[] sorted = [.. values.Order()];
                foreach (double quantile in new[] { 0.5, 0.99, 0.999 })
                {
                    string key = string.Create(CultureInfo.InvariantCulture, $"{name} p{quantile * 100:0.#} {unit}, {clock}");
                    results[key] = sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * quantile))] / divisor;
                }

                results[$"{name} mean {unit}, {clock}"] = values.Average() / divisor;
                results[$"{name} largest {unit}, {clock}"] = sorted[^1] / divisor;
            }
        }

        // The thread's own processor time on Linux; elsewhere wall-clock time.
        private static long ThreadNanoseconds() => OperatingSystem.IsLinux() && GetTime(ThreadClock, out TimeSpec time) == 0
            ? (time.Seconds * 1_000_000_000) + time.Nanoseconds
            : (long)Stopwatch.GetElapsedTime(0).TotalNanoseconds;

        [LibraryImport("libc", EntryPoint = "clock_gettime")]
        private static partial int GetTime(int clock, out TimeSpec time);

        [StructLayout(LayoutKind.Sequential)]
        private struct TimeSpec
        {
            public long Seconds;
            public long Nanoseconds;
        }

        /// <summary>A point in both clocks.</summary>
        internal readonly record struct Moment(long Wall, long Processor);
    }
}
