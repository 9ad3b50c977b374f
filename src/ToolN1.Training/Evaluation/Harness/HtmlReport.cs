using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace ToolN1.Training.Evaluation.Harness;

/// <summary>
/// A run as one HTML file that needs nothing else: the figures beside published rows, plots of accuracy by category with
/// intervals, of what went wrong and of latencies, and every wrong answer with its prompt, to be searched and filtered.
/// </summary>
public static class HtmlReport
{
    private const string Style = """
        body{font:14px/1.45 system-ui,sans-serif;margin:2em auto;max-width:72em;padding:0 1em;color:#222;background:#fff}
        .wide{overflow-x:auto}table{border-collapse:collapse;margin:1em 0}td,th{border:1px solid #ccc;padding:.25em .6em;text-align:left;vertical-align:bottom}
        td.n{text-align:right;font-variant-numeric:tabular-nums}tr.own td{font-weight:600}#figures td:first-child{white-space:nowrap}#figures th{min-width:5em}
        pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f6f6f6;padding:.6em;max-height:30em;overflow-y:auto}
        details{border-bottom:1px solid #ddd;padding:.3em 0}summary{cursor:pointer;overflow-wrap:anywhere}input,select,button{font:inherit;max-width:100%;padding:.2em .4em;margin:0 .6em .4em 0}
        svg{max-width:100%;height:auto;display:block}svg text{font:12px system-ui,sans-serif;fill:currentColor}rect{fill:#4a7fb5}path{stroke:#c22;stroke-width:1.5;fill:none}
        h4{margin:.6em 0 .2em}.note{color:#666}
        @media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}pre{background:#242424}td,th,details{border-color:#444}rect{fill:#5b93cc}path{stroke:#f77}.note{color:#999}}
        """;

    private const string Script = """
        const all=JSON.parse(document.getElementById('failures').textContent),list=document.getElementById('list');
        const pick=id=>document.getElementById(id),fill=(id,key)=>[...new Set(all.map(f=>f[key]))].sort().forEach(v=>pick(id).add(new Option(v,v)));
        fill('category','category');fill('failure','failure');fill('error','error_type');
        function block(parent,title,text){if(!text)return;const h=document.createElement('h4'),p=document.createElement('pre');h.textContent=title;p.textContent=text;parent.append(h,p)}
        function show(){
          const c=pick('category').value,k=pick('failure').value,e=pick('error').value,t=pick('text').value.toLowerCase();
          const found=all.filter(f=>(!c||f.category===c)&&(!k||f.failure===k)&&(!e||f.error_type===e)&&(!t||[f.id,f.output,f.prompt,f.detail].join('\n').toLowerCase().includes(t)));
          pick('count').textContent=found.length+' of '+all.length;
          list.replaceChildren(...found.map(f=>{
            const d=document.createElement('details'),s=document.createElement('summary');
            s.textContent=f.category+' '+f.id+' · '+f.failure+' · '+f.error_type+(f.detail?' · '+f.detail:'');d.append(s);
            d.addEventListener('toggle',()=>{if(d.open&&d.children.length===1){block(d,'Output',f.output||'(empty)');block(d,'Calls read',f.calls);block(d,'Prompt',f.prompt)}});
            return d}))}
        const fields=['category','failure','error','text'];
        fields.forEach(id=>pick(id).addEventListener('input',show));pick('clear').addEventListener('click',()=>{fields.forEach(id=>pick(id).value='');show()});show();
        """;

    /// <summary>The report.</summary>
    /// <param name="summary">The run.</param>
    /// <param name="results">Its answers; the wrong ones are listed.</param>
    /// <param name="references">Published rows to print beside it.</param>
    public static string Write(EvaluationSummary summary, IReadOnlyList<EvaluationResult> results, IReadOnlyList<ReferenceRow> references)
    {
        StringBuilder html = new();
        string title = WebUtility.HtmlEncode($"{summary.Benchmark}: {summary.Model}");
        html.Append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>")
            .Append(title).Append("</title><style>").Append(Style).Append("</style></head><body>\n<h1>").Append(title).Append("</h1>\n");

        Figures(html, FigureTable.Create(summary, references));
        html.Append("<p class=\"note\">").Append(WebUtility.HtmlEncode(summary.Usage)).Append("</p>\n");
        HtmlBars.Append(html, "Accuracy by category, with 95 % Wilson intervals", summary.Categories.Append(KeyValuePair.Create("all", summary.Total))
            .Select(entry => new HtmlBar(entry.Key, entry.Value.Accuracy, $"{Percent(entry.Value.Accuracy)} % of {entry.Value.Cases}", entry.Value.Low, entry.Value.High)).ToList());
        Counts(html, "What went wrong", summary.Failures);
        Counts(html, "By the checker's error type", summary.ErrorTypes);
        Latencies(html, summary);
        Tools(html, summary);
        html.Append("<h2>Wrong answers</h2>\n<p><select id=\"category\" aria-label=\"category\"><option value=\"\">every category</option></select>")
            .Append("<select id=\"failure\" aria-label=\"failure\"><option value=\"\">every failure</option></select>")
            .Append("<select id=\"error\" aria-label=\"error type\"><option value=\"\">every error type</option></select>")
            .Append("<input id=\"text\" type=\"search\" placeholder=\"search prompts and outputs\" size=\"28\"><button id=\"clear\" type=\"button\">clear</button><span id=\"count\"></span></p>\n")
            .Append("<div id=\"list\"></div>\n<script type=\"application/json\" id=\"failures\">").Append(Failures(results))
            .Append("</script>\n<script>").Append(Script).Append("</script>\n</body></html>\n");
        return html.ToString();
    }

    private static void Figures(StringBuilder html, FigureTable table)
    {
        html.Append("<div class=\"wide\"><table id=\"figures\"><tr><th>% correct</th>");
        foreach (string figure in table.Figures)
        {
            html.Append("<th>").Append(WebUtility.HtmlEncode(figure)).Append("</th>");
        }

        html.Append("</tr>\n");
        for (int i = 0; i < table.Rows.Count; i++)
        {
            html.Append(i == 0 ? "<tr class=\"own\"><td>" : "<tr><td>").Append(WebUtility.HtmlEncode(table.Rows[i].Model)).Append("</td>");
            foreach (string cell in table.Rows[i].Cells)
            {
                html.Append("<td class=\"n\">").Append(cell).Append("</td>");
            }

            html.Append("</tr>\n");
        }

        html.Append("</table></div>\n");
    }

    private static void Counts(StringBuilder html, string title, IReadOnlyList<(string Name, int Count)> counts)
    {
        double most = counts.Count == 0 ? 1 : counts[0].Count;
        HtmlBars.Append(html, title, counts.Select(entry => new HtmlBar(entry.Name, entry.Count / most, entry.Count.ToString(CultureInfo.InvariantCulture))).ToList());
    }

    private static void Latencies(StringBuilder html, EvaluationSummary summary)
    {
        const int Bins = 12;
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

        double most = counts.Max();
        HtmlBars.Append(
            html,
            string.Create(CultureInfo.InvariantCulture, $"Latency (half within {Duration(summary.LatencyQuantile(0.5))}, 95 % within {Duration(summary.LatencyQuantile(0.95))})"),
            counts.Select((count, i) => new HtmlBar($"up to {Duration(longest * (i + 1) / Bins)}", count / most, count.ToString(CultureInfo.InvariantCulture))).ToList());
    }

    private static string Duration(double milliseconds) =>
        milliseconds < 1000 ? string.Create(CultureInfo.InvariantCulture, $"{milliseconds:F0} ms") : string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000:F1} s");

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
