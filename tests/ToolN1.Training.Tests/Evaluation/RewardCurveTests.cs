using System.Xml.Linq;
using ToolN1.Training.Evaluation;

namespace ToolN1.Training.Tests.Evaluation;

public sealed class RewardCurveTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tooln1-curve-").FullName;

    [Fact]
    public void Svg_TwoRuns_DrawsALineEachAndTheHeldOutPoints()
    {
        string[] files = [Write("a"), Write("b")];
        File.WriteAllText(Path.Combine(_folder, "a", "evaluations.jsonl"), """{"step":0,"set":"x","correct":1,"rows":4}""" + "\n" + """{"step":2,"set":"x","correct":3,"rows":4}""" + "\n");
        Assert.True(RewardCurve.IsMetrics(files[0]));
        XDocument svg = XDocument.Parse(RewardCurve.Svg(files));
        XNamespace space = "http://www.w3.org/2000/svg";
        Assert.Equal(6, svg.Descendants(space + "polyline").Count());
        Assert.Equal(2, svg.Descendants(space + "circle").Count());
        Assert.Contains(svg.Descendants(space + "text"), text => text.Value == "b");
    }

    [Fact]
    public void Svg_OtherLines_AreRefusedByFileAndLine()
    {
        string file = Write("c");
        File.AppendAllText(file, "{\"step\": 3}\n");
        Assert.Contains("metrics.jsonl:3", Assert.Throws<InvalidDataException>(() => RewardCurve.Svg([file])).Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Write(string name)
    {
        Directory.CreateDirectory(Path.Combine(_folder, name));
        string file = Path.Combine(_folder, name, "metrics.jsonl");
        File.WriteAllText(file, """{"step":1,"reward_mean":0.1,"kl":0,"entropy":0.5}""" + "\n" + """{"step":2,"reward_mean":0.4,"kl":0.01,"entropy":0.4}""" + "\n");
        return file;
    }
}
