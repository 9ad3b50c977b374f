using System.Text.RegularExpressions;
using ToolN1.TestSupport;

namespace ToolN1.Architecture.Tests;

/// <summary>Tests that the documentation names exist.</summary>
public sealed class DocumentedTestsTests
{
    [Fact]
    public void Compatibility_EveryNamedTest_Exists()
    {
        string page = File.ReadAllText(Path.Combine(TestPaths.Root, "docs", "compatibility.md"));
        (string Class, string Method)[] named = [.. Regex.Matches(page, @"`(\w+Tests)\.(\w+)`").Select(match => (match.Groups[1].Value, match.Groups[2].Value)).Distinct()];
        string[] rows = [.. Regex.Matches(page, @"^\| (\d+) \|.*\|$", RegexOptions.Multiline).Select(match => match.Groups[1].Value)];
        Dictionary<string, string> sources = Directory.EnumerateFiles(Path.Combine(TestPaths.Root, "tests"), "*Tests.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .GroupBy(file => Path.GetFileNameWithoutExtension(file)).ToDictionary(group => group.Key, group => string.Concat(group.Select(File.ReadAllText)));

        Assert.Equal(Enumerable.Range(1, 25).Select(number => number.ToString(System.Globalization.CultureInfo.InvariantCulture)), rows);
        Assert.All(named, test => Assert.Matches($@"\b{test.Method}\(", sources.GetValueOrDefault(test.Class, "")));
    }
}
