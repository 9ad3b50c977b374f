using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ToolN1.Training.Evaluation;

/// <summary>Draws the metrics of supervised runs, one after the other, as an SVG: answer loss and whole-answer accuracy over tokens.</summary>
public static class LossCurve
{
    private const int Width = 840;
    private const int Height = 360;
    private const int Left = 56;
    private const int Right = 56;
    private const int Top = 24;
    private const int Bottom = 44;

    /// <summary>The picture.</summary>
    /// <param name="metricsFiles">metrics.jsonl of each run in order; tokens go on from run to run.</param>
    /// <exception cref="InvalidDataException">A file has a line that is not one of the trainer's, or there is no line at all.</exception>
    public static string Svg(IEnumerable<string> metricsFiles)
    {
        List<(double Tokens, double Loss, double Accuracy)> points = [];
        List<double> ends = [];
        double before = 0;
        foreach (string file in metricsFiles)
        {
            double last = before;
            foreach ((string line, int index) in File.ReadLines(file).Select((line, index) => (line, index)))
            {
                try
                {
                    using JsonDocument metrics = JsonDocument.Parse(line);
                    JsonElement root = metrics.RootElement;
                    last = before + root.GetProperty("tokens").GetDouble();
                    points.Add((last, root.GetProperty("answer_loss").GetDouble(), root.GetProperty("answer_accuracy").GetDouble()));
                }
                catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
                {
                    throw new InvalidDataException($"{file}:{index + 1}: not a line of metrics: {error.Message}", error);
                }
            }

            before = last;
            ends.Add(last);
        }

        return points.Count > 0 ? Draw(points, ends) : throw new InvalidDataException("The metrics files hold no line.");
    }

    private static string Draw(List<(double Tokens, double Loss, double Accuracy)> points, List<double> ends)
    {
        double most = points[^1].Tokens;
        double highest = Math.Ceiling(points.Max(point => point.Loss));
        string X(double tokens) => Number(Left + ((Width - Left - Right) * tokens / most));
        string Y(double fraction) => Number(Height - Bottom - ((Height - Top - Bottom) * fraction));
        StringBuilder svg = new($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"{Width}\" height=\"{Height}\" fill=\"white\"/>\n");
        for (int tick = 0; tick <= 4; tick++)
        {
            double fraction = tick / 4.0;
            svg.Append($"<line x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(fraction)}\" y2=\"{Y(fraction)}\" stroke=\"#ddd\"/>\n");
            svg.Append($"<text x=\"{Left - 8}\" y=\"{Y(fraction - 0.012)}\" text-anchor=\"end\" fill=\"#1f77b4\">{Number(highest * fraction)}</text>\n");
            svg.Append($"<text x=\"{Width - Right + 8}\" y=\"{Y(fraction - 0.012)}\" fill=\"#d62728\">{Number(100 * fraction)}%</text>\n");
            svg.Append($"<text x=\"{X(most * fraction)}\" y=\"{Height - Bottom + 18}\" text-anchor=\"middle\">{Number(most * fraction / 1e6)}M</text>\n");
        }

        foreach (double end in ends.SkipLast(1))
        {
            svg.Append($"<line x1=\"{X(end)}\" x2=\"{X(end)}\" y1=\"{Top}\" y2=\"{Height - Bottom}\" stroke=\"#999\" stroke-dasharray=\"4 4\"/>\n");
        }

        svg.Append($"<polyline fill=\"none\" stroke=\"#1f77b4\" stroke-width=\"1.5\" points=\"{string.Join(' ', points.Select(p => X(p.Tokens) + "," + Y(p.Loss / highest)))}\"/>\n");
        svg.Append($"<polyline fill=\"none\" stroke=\"#d62728\" stroke-width=\"1.5\" points=\"{string.Join(' ', points.Select(p => X(p.Tokens) + "," + Y(p.Accuracy)))}\"/>\n");
        svg.Append($"<text x=\"{Left}\" y=\"{Top - 8}\" fill=\"#1f77b4\">answer loss (nats a token)</text>\n");
        svg.Append($"<text x=\"{Width - Right}\" y=\"{Top - 8}\" text-anchor=\"end\" fill=\"#d62728\">whole answers right (teacher forced)</text>\n");
        svg.Append($"<text x=\"{Width / 2}\" y=\"{Height - 8}\" text-anchor=\"middle\">tokens trained on (dashed: next run)</text>\n</svg>\n");
        return svg.ToString();
    }

    private static string Number(double value) => Math.Round(value, 2).ToString(CultureInfo.InvariantCulture);
}
