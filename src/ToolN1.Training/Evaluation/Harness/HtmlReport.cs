using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace ToolN1.Training.Evaluation.Harness;

/// <summary>
/// A run as one HTML file that needs nothing else: accuracy by category with intervals, what went wrong, latencies, and
/// every wrong answer with its prompt, to be searched and filtered.
/// </summary>
public static class HtmlReport
{
    private const string Style = """
        body{font:14px/1.45 system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em;color:#222;background:#fff}
        table{border-collapse:collapse;margin:1em 0}td,th{border:1px solid #ccc;padding:.25em .6em;text-align:left}
        td.n{text-align:right;font-variant-numeric:tabular-nums}pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f6f6f6;padding:.6em}
        details{border-bottom:1px solid #ddd;padding:.3em 0}summary{cursor:pointer}input,select{font:inherit;padding:.2em;margin-right:.6em}
        svg text{font:12px system-ui,sans-serif;fill:currentColor}
        @media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}pre{background:#242424}td,th{border-color:#444}}
        """;

    private const string Script = """
        const all=JSON.parse(document.getElementById('failures').textContent),list=document.getElementById('list');
        const pick=id=>document.getElementById(id),fill=(id,key)=>[...new Set(all.map(f=>f[key]))].sort().forEach(v=>pick(id).add(new Option(v,v)));
        fill('category','category');fill('failure','failure');
        function block(parent,title,text){if(!text)return;const h=document.createElement('h4'),p=document.createElement('pre');h.textContent=title;p.textContent=text;parent.append(h,p)}
        function show(){
          const c=pick('category').value,k=pick('failure').value,t=pick('text').value.toLowerCase();
          const found=all.filter(f=>(!c||f.category===c)&&(!k||f.failure===k)&&(!t||(f.id+f.output+f.prompt+(f.detail||'')).toLowerCase().includes(t)));
          pick('count').textContent=found.length+' of '+all.length;
          list.replaceChildren(...found.map(f=>{
            const d=document.createElement('details'),s=document.createElement('summary');
            s.textContent=f.category+' '+f.id+' · '+f.failure+' · '+f.error_type+(f.detail?' · '+f.detail:'');d.append(s);
            d.addEventListener('toggle',()=>{if(d.open&&d.children.length===1){block(d,'Output',f.output||'(empty)');block(d,'Calls read',f.calls);block(d,'Prompt',f.prompt)}});
            return d}))}
        ['category','failure','text'].forEach(id=>pick(id).addEventListener('input',show));show();
        """;

    /// <summary>The report.</summary>
    public static string Write(EvaluationSummary summary, IReadOnlyList<EvaluationResult> results)
    {
        StringBuilder html = new();
        string title = WebUtility.HtmlEncode($"{summary.Benchmark}: {summary.Model}");
        html.Append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>")
            .Append(title).Append("</title><style>").Append(Style).Append("</style></head><body>\n<h1>").Append(title).Append("</h1>\n");
        Headlines(html, summary);
        Bars(html, "Accuracy by category, with 95 % Wilson intervals", summary.Categories.Append(KeyValuePair.Create("all", summary.Total))
            .Select(entry => (entry.Key, entry.Value.Accuracy, (double?)entry.Value.Low, (double?)entry.Value.High, $"{Percent(entry.Value.Accuracy)} % of {entry.Value.Cases}")).ToList());
        int most = Math.Max(1, summary.Failures.Select(failure => failure.Count).DefaultIfEmpty(1).Max());
        Bars(html, "What went wrong", summary.Failures.Select(failure => (failure.Name, failure.Count / (double)most, (double?)null, (double?)null, failure.Count.ToString(CultureInfo.InvariantCulture))).ToList());
        Latencies(html, summary);
        Tools(html, summary);
        html.Append("<h2>Wrong answers</h2>\n<p><select id=\"category\"><option value=\"\">every category</option></select>")
            .Append("<select id=\"failure\"><option value=\"\">every failure</option></select><input id=\"text\" placeholder=\"search\"><span id=\"count\"></span></p>\n")
            .Append("<div id=\"list\"></div>\n<script type=\"application/json\" id=\"failures\">").Append(Failures(results))
            .Append("</script>\n<script>").Append(Script).Append("</script>\n</body></html>\n");
        return html.ToString();
    }

    private static void Headlines(StringBuilder html, EvaluationSummary summary)
    {
        html.Append("<table><tr><th>Figure</th><th>%</th></tr>");
        foreach ((string name, double value) in summary.Headlines)
        {
            html.Append(CultureInfo.InvariantCulture, $"<tr><td>{WebUtility.HtmlEncode(name)}</td><td class=\"n\">{Percent(value)}</td></tr>");
        }

        html.Append("</table>\n");
    }

    private static void Bars(StringBuilder html, string title, IReadOnlyList<(string Name, double Share, double? Low, double? High, string Label)> bars)
    {
        const int Left = 260;
        const int Width = 460;
        const int Row = 24;
        html.Append(CultureInfo.InvariantCulture, $"<h2>{title}</h2>\n<svg role=\"img\" aria-label=\"{title}\" width=\"{Left + Width + 150}\" height=\"{(bars.Count * Row) + 4}\">");
        for (int i = 0; i < bars.Count; i++)
        {
            (string name, double share, double? low, double? high, string label) = bars[i];
            int y = i * Row;
            double end = Left + Math.Max(share, high ?? 0) * Width;
            html.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 8}\" y=\"{y + 16}\" text-anchor=\"end\">{WebUtility.HtmlEncode(name)}</text>");
            html.Append(CultureInfo.InvariantCulture, $"<rect x=\"{Left}\" y=\"{y + 4}\" width=\"{share * Width:F1}\" height=\"16\" fill=\"#4a7fb5\"/>");
            if (low is double from && high is double to)
            {
                html.Append(CultureInfo.InvariantCulture, $"<path d=\"M{Left + (from * Width):F1} {y + 8}v8m0 -4H{Left + (to * Width):F1}m0 -4v8\" stroke=\"#c33\" fill=\"none\"/>");
            }

            html.Append(CultureInfo.InvariantCulture, $"<text x=\"{end + 8:F1}\" y=\"{y + 16}\">{WebUtility.HtmlEncode(label)}</text>");
        }

        html.Append("</svg>\n");
    }

    private static void Latencies(StringBuilder html, EvaluationSummary summary)
    {
        const int Bins = 20;
        if (summary.Latencies.Count == 0)
        {
            return;
        }

        double longest = Math.Max(1, summary.Latencies[^1]);
        int[] counts = new int[Bins];
        foreach (double latency in summary.Latencies)
        {
            counts[Math.Min(Bins - 1, (int)(Bins * latency / longest))]++;
        }

        int most = counts.Max();
        Bars(
            html,
            string.Create(CultureInfo.InvariantCulture, $"Latency (p50 {summary.LatencyQuantile(0.5):F0} ms, p95 {summary.LatencyQuantile(0.95):F0} ms)"),
            counts.Select((count, i) => (
                string.Create(CultureInfo.InvariantCulture, $"to {longest * (i + 1) / Bins:F0} ms"), count / (double)most, (double?)null, (double?)null, count.ToString(CultureInfo.InvariantCulture))).ToList());
    }

    private static void Tools(StringBuilder html, EvaluationSummary summary)
    {
        html.Append("<h2>By function of the right answer, worst first</h2>\n<details><summary>table</summary><table><tr><th>Function</th><th>Cases</th><th>Correct</th><th>%</th></tr>");
        foreach ((string name, CategoryScore score) in summary.Tools)
        {
            html.Append(CultureInfo.InvariantCulture, $"<tr><td>{WebUtility.HtmlEncode(name)}</td><td class=\"n\">{score.Cases}</td><td class=\"n\">{score.Correct}</td><td class=\"n\">{Percent(score.Accuracy)}</td></tr>");
        }

        html.Append("</table></details>\n");
    }

    /// <summary>JSON for a script element: the default encoder escapes what could end it.</summary>
    private static string Failures(IReadOnlyList<EvaluationResult> results)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream))
        {
            writer.WriteStartArray();
            foreach (EvaluationResult result in results.Where(result => !result.Valid))
            {
                writer.WriteStartObject();
                writer.WriteString("category", result.Category);
                writer.WriteString("id", result.Id);
                writer.WriteString("failure", result.Failure);
                writer.WriteString("error_type", result.ErrorType);
                writer.WriteString("detail", result.Detail);
                writer.WriteString("output", result.Output);
                writer.WriteString("calls", result.CallsJson);
                writer.WriteString("prompt", result.Prompt);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static string Percent(double value) => (100 * value).ToString("F2", CultureInfo.InvariantCulture);
}
