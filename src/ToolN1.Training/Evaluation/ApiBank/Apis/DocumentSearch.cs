using System.Text.RegularExpressions;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.ApiBank.Apis;

/// <summary>
/// The SearchEngine API: the two best documents by BM25 Okapi (k1 1.5, b 0.75, negative idf replaced by a quarter of the
/// mean idf, as in rank_bm25). Ties keep the documents' order.
/// </summary>
internal static partial class DocumentSearch
{
    private const double K1 = 1.5;
    private const double B = 0.75;
    private const double Epsilon = 0.25;
    private const int Results = 2;

    public static PyValue Search(string keyword, PyDict table)
    {
        List<PyValue> documents = table["raw_documents"].Items;
        List<List<string>> tokens = table["tokenized_documents"].Items.ConvertAll(document => document.Items.ConvertAll(token => token.Text));
        Dictionary<string, double> idf = InverseDocumentFrequencies(tokens);
        double averageLength = tokens.Average(document => document.Count);
        double[] scores = new double[tokens.Count];
        foreach (string term in Words().Matches(keyword).Select(match => match.Value))
        {
            for (int i = 0; i < tokens.Count; i++)
            {
                int frequency = tokens[i].Count(token => token == term);
                double norm = K1 * (1 - B + (B * tokens[i].Count / averageLength));
                scores[i] += idf.GetValueOrDefault(term) * (frequency * (K1 + 1) / (frequency + norm));
            }
        }

        return PyValue.Of(Enumerable.Range(0, documents.Count).OrderByDescending(i => scores[i]).Take(Results).Select(i => documents[i]).ToList());
    }

    private static Dictionary<string, double> InverseDocumentFrequencies(List<List<string>> documents)
    {
        Dictionary<string, double> idf = documents.SelectMany(document => document.Distinct(StringComparer.Ordinal))
            .GroupBy(term => term, StringComparer.Ordinal)
            .ToDictionary(
                group => group.Key,
                group => Math.Log(documents.Count - group.Count() + 0.5) - Math.Log(group.Count() + 0.5),
                StringComparer.Ordinal);
        double floor = Epsilon * idf.Values.Average();
        return idf.ToDictionary(entry => entry.Key, entry => entry.Value < 0 ? floor : entry.Value, StringComparer.Ordinal);
    }

    [GeneratedRegex(@"'\w+|\w+(?:[-.]\w+)*|[^\w\s]")]
    private static partial Regex Words();
}
