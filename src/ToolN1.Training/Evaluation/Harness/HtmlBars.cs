using System.Globalization;
using System.Net;
using System.Text;

namespace ToolN1.Training.Evaluation.Harness;

/// <summary>Horizontal bars as SVG within a page: names on the left, wide enough for the longest; labels on the right.</summary>
internal static class HtmlBars
{
    private const int Letter = 7;
    private const int Plot = 460;
    private const int Row = 24;

    /// <summary>Appends a plot under a heading; nothing where there is no bar.</summary>
    public static void Append(StringBuilder html, string title, IReadOnlyList<HtmlBar> bars)
    {
        if (bars.Count == 0)
        {
            return;
        }

        int left = 24 + (Letter * bars.Max(bar => bar.Name.Length));
        int right = 24 + (Letter * bars.Max(bar => bar.Label.Length));
        int width = left + Plot + right;
        int height = (bars.Count * Row) + 4;
        html.Append(CultureInfo.InvariantCulture, $"<h2>{title}</h2>\n<svg role=\"img\" aria-label=\"{title}\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">");
        for (int i = 0; i < bars.Count; i++)
        {
            Append(html, bars[i], left, i * Row);
        }

        html.Append("</svg>\n");
    }

    private static void Append(StringBuilder html, HtmlBar bar, int left, int y)
    {
        html.Append(CultureInfo.InvariantCulture, $"<text x=\"{left - 8}\" y=\"{y + 16}\" text-anchor=\"end\">{WebUtility.HtmlEncode(bar.Name)}</text>");
        html.Append(CultureInfo.InvariantCulture, $"<rect x=\"{left}\" y=\"{y + 4}\" width=\"{bar.Share * Plot:F1}\" height=\"16\"/>");
        if (bar.Low is double low && bar.High is double high)
        {
            html.Append(CultureInfo.InvariantCulture, $"<path d=\"M{left + (low * Plot):F1} {y + 8}v8m0 -4H{left + (high * Plot):F1}m0 -4v8\"/>");
        }

        double end = left + (Math.Max(bar.Share, bar.High ?? 0) * Plot);
        html.Append(CultureInfo.InvariantCulture, $"<text x=\"{end + 8:F1}\" y=\"{y + 16}\">{WebUtility.HtmlEncode(bar.Label)}</text>");
    }
}
