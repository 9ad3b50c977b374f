using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ToolN1.Training.Evaluation;

/// <summary>Draws GRPO runs as an SVG: reward with held-out exact match above, KL and entropy below; one colour a run.</summary>
public static class RewardCurve
{
    private const int Width = 840;
    private const int PanelHeight = 260;
    private const int Left = 64;
    private const int Right = 56;
    private const int Top = 28;
    private const int Gap = 56;
    private static readonly string[] Colors = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#17becf", "#7f7f7f"];

    /// <summary>Whether a file is a GRPO run's metrics.</summary>
    public static bool IsMetrics(string file) => File.ReadLines(file).FirstOrDefault() is string line && line.Contains("\"reward_mean\"", StringComparison.Ordinal);

    /// <summary>The picture.</summary>
    /// <param name="metricsFiles">metrics.jsonl of each run; evaluations.jsonl beside it is drawn too.</param>
    /// <exception cref="InvalidDataException">A file has a line that is not one of the trainer's, or there is no line at all.</exception>
    public static string Svg(IReadOnlyList<string> metricsFiles)
    {
        Run[] runs = [.. metricsFiles.Select(Read)];
        double steps = Math.Max(1, runs.Max(run => run.Reward.Max(point => point.Step)));
        double highestReward = Math.Max(1, runs.Max(run => run.Reward.Max(point => point.Value)));
        double highestKl = Top125(runs.Max(run => run.Kl.Select(point => point.Value).DefaultIfEmpty(0).Max()));
        double highestEntropy = Top125(runs.Max(run => run.Entropy.Select(point => point.Value).DefaultIfEmpty(0).Max()));
        int height = (2 * (Top + PanelHeight)) + Gap + 24;
        int second = Top + PanelHeight + Gap;
        StringBuilder svg = new($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"{Width}\" height=\"{height}\" fill=\"white\"/>\n");
        Axes(svg, Top, steps, highestReward, null, "mean reward of the rollouts (line), held-out exact match (dots with 95% intervals)", null);
        Axes(svg, second, steps, highestKl, highestEntropy, "KL to the initial policy (line)", "entropy, nats (dashed)");
        for (int index = 0; index < runs.Length; index++)
        {
            Run run = runs[index];
            string color = Colors[index % Colors.Length];
            Line(svg, run.Reward, color, Top, steps, highestReward, dashed: false);
            Line(svg, run.Kl, color, second, steps, highestKl, dashed: false);
            Line(svg, run.Entropy, color, second, steps, highestEntropy, dashed: true);
            foreach ((double step, double rate, double low, double high) in run.HeldOut)
            {
                string x = X(step, steps);
                svg.Append($"<line x1=\"{x}\" x2=\"{x}\" y1=\"{Y(low, Top, highestReward)}\" y2=\"{Y(high, Top, highestReward)}\" stroke=\"{color}\"/>\n");
                svg.Append($"<circle cx=\"{x}\" cy=\"{Y(rate, Top, highestReward)}\" r=\"3\" fill=\"{color}\"/>\n");
            }

            svg.Append($"<text x=\"{Left + 8 + (index * 140)}\" y=\"{height - 8}\" fill=\"{color}\">{Escape(run.Name)}</text>\n");
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static Run Read(string file)
    {
        Run run = new(Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(file))) ?? file);
        Lines(file, root =>
        {
            double step = root.GetProperty("step").GetDouble();
            Add(run.Reward, step, root.GetProperty("reward_mean"));
            Add(run.Kl, step, root.GetProperty("kl"));
            Add(run.Entropy, step, root.GetProperty("entropy"));
        });
        if (run.Reward.Count == 0)
        {
            throw new InvalidDataException($"{file}: no step has a reward.");
        }

        string evaluations = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, "evaluations.jsonl");
        if (File.Exists(evaluations))
        {
            // All sets of a step together.
            SortedDictionary<int, (int Correct, int Rows)> byStep = [];
            Lines(evaluations, root =>
            {
                int step = root.GetProperty("step").GetInt32();
                (int correct, int rows) = byStep.GetValueOrDefault(step);
                byStep[step] = (correct + root.GetProperty("correct").GetInt32(), rows + root.GetProperty("rows").GetInt32());
            });
            foreach ((int step, (int correct, int rows)) in byStep.Where(item => item.Value.Rows > 0))
            {
                WilsonInterval interval = new(correct, rows);
                run.HeldOut.Add((step, interval.Rate, interval.Low, interval.High));
            }
        }

        return run;
    }

    private static void Lines(string file, Action<JsonElement> read)
    {
        int number = 0;
        foreach (string line in File.ReadLines(file))
        {
            number++;
            try
            {
                using JsonDocument document = JsonDocument.Parse(line);
                read(document.RootElement);
            }
            catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
            {
                throw new InvalidDataException($"{file}:{number}: not a line of a GRPO run: {error.Message}", error);
            }
        }
    }

    private static void Add(List<(double Step, double Value)> points, double step, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Number)
        {
            points.Add((step, value.GetDouble()));
        }
    }

    private static void Axes(StringBuilder svg, int top, double steps, double highest, double? highestRight, string title, string? titleRight)
    {
        for (int tick = 0; tick <= 4; tick++)
        {
            double fraction = tick / 4.0;
            string y = Number(top + (PanelHeight * (1 - fraction)));
            svg.Append($"<line x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{y}\" y2=\"{y}\" stroke=\"#ddd\"/>\n");
            svg.Append($"<text x=\"{Left - 8}\" y=\"{y}\" dy=\"4\" text-anchor=\"end\">{Label(highest * fraction)}</text>\n");
            if (highestRight is double right)
            {
                svg.Append($"<text x=\"{Width - Right + 8}\" y=\"{y}\" dy=\"4\">{Label(right * fraction)}</text>\n");
            }

            svg.Append($"<text x=\"{X(steps * fraction, steps)}\" y=\"{top + PanelHeight + 18}\" text-anchor=\"middle\">{Label(steps * fraction)}</text>\n");
        }

        svg.Append($"<text x=\"{Left}\" y=\"{top - 8}\">{title}</text>\n");
        if (titleRight is not null)
        {
            svg.Append($"<text x=\"{Width - Right}\" y=\"{top - 8}\" text-anchor=\"end\">{titleRight}</text>\n");
        }
    }

    private static void Line(StringBuilder svg, List<(double Step, double Value)> points, string color, int top, double steps, double highest, bool dashed) => svg.Append(
        $"<polyline fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\"{(dashed ? " stroke-dasharray=\"4 3\"" : string.Empty)} points=\"{string.Join(' ', points.Select(point => X(point.Step, steps) + "," + Y(point.Value, top, highest)))}\"/>\n");

    private static string X(double step, double steps) => Number(Left + ((Width - Left - Right) * step / steps));

    private static string Y(double value, int top, double highest) => Number(top + (PanelHeight * (1 - (value / highest))));

    /// <summary>The next 1, 2 or 5 times a power of ten.</summary>
    private static double Top125(double value)
    {
        if (!(value > 0))
        {
            return 1;
        }

        double power = Math.Pow(10, Math.Floor(Math.Log10(value)));
        return new[] { 1.0, 2, 5, 10 }.First(factor => factor * power >= value * (1 - 1e-12)) * power;
    }

    private static string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);

    private static string Number(double value) => Math.Round(value, 2).ToString(CultureInfo.InvariantCulture);

    private static string Label(double value) => value.ToString("G3", CultureInfo.InvariantCulture);

    private sealed record Run(string Name)
    {
        public List<(double Step, double Value)> Reward { get; } = [];

        public List<(double Step, double Value)> Kl { get; } = [];

        public List<(double Step, double Value)> Entropy { get; } = [];

        public List<(double Step, double Rate, double Low, double High)> HeldOut { get; } = [];
    }
}
