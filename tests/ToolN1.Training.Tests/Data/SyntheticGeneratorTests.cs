using System.Text.Json;
using ToolN1.Engine.Chat;
using ToolN1.Training.Data;
using ToolN1.Training.Data.Synthetic;

namespace ToolN1.Training.Tests.Data;

public sealed class SyntheticGeneratorTests
{
    private static readonly SyntheticGenerator Generator = new();

    public static TheoryData<string, string> HeldOutFiles => [.. from set in SyntheticGenerator.HeldOutSets from category in SyntheticGenerator.Categories select (set, category)];

    [Fact]
    public void Training_SameSeed_MakesSameRows()
    {
        string[] first = [.. Generator.Training(3, 200, 7).Select(TrainingRowWriter.ToJson)];
        Assert.Equal(first, new SyntheticGenerator().Training(3, 200, 7).Select(TrainingRowWriter.ToJson));
        Assert.NotEqual(first, Generator.Training(3, 200, 8).Select(TrainingRowWriter.ToJson));
    }

    [Fact]
    public void Training_RowsOfAGroup_HaveTheSameTools()
    {
        foreach (TrainingRow[] group in Generator.Training(2, 200, 7).Chunk(SyntheticGenerator.DefaultGroupSize))
        {
            Assert.Single(group.Select(row => string.Join('\n', row.Tools.Select(tool => tool.FunctionJson))).Distinct());
        }
    }

    [Fact]
    public void Catalogue_Functions_AreSeveralHundred()
    {
        Assert.InRange(Generator.TrainedFunctionCount, 500, 5_000);
        Assert.InRange(Generator.UnseenFunctionCount, 80, 1_000);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Training_EveryAnswer_FitsItsTools(int stage) => Assert.All(Generator.Training(stage, 400, 3), AssertConsistent);

    [Theory]
    [MemberData(nameof(HeldOutFiles))]
    public void HeldOut_EveryAnswer_FitsItsToolsAndCategory(string set, string category)
    {
        foreach (TrainingRow row in Generator.HeldOut(set, category, 60, 3))
        {
            AssertConsistent(row);
            Assert.Equal($"{set}-{category}", row.Category);
            Assert.True(category switch
            {
                "one" => row is { Tools.Count: 1, Answer.Count: 1 },
                "several" => row is { Tools.Count: >= 2, Answer.Count: 1 },
                "parallel" => row.Answer.Count >= 2,
                _ => row.Answer.Count == 0,
            });
        }
    }

    [Fact]
    public void HeldOut_OpenValues_AreNeverTrainedOn()
    {
        HashSet<string> trained = [.. Generator.Training(3, 2_000, 11).SelectMany(LongTexts)];
        Assert.NotEmpty(trained);
        Assert.All(trained, text => Assert.False(SyntheticGenerator.IsHeldOutValue(text), text));
        string[] heldOut = [.. Generator.HeldOut("seen", "one", 400, 1).SelectMany(LongTexts)];
        Assert.NotEmpty(heldOut);
        Assert.All(heldOut, text => Assert.True(SyntheticGenerator.IsHeldOutValue(text), text));
    }

    [Fact]
    public void Training_Reasoning_ReadsTheRequest_ThenGoesThroughTheFittingToolsSchema()
    {
        foreach (TrainingRow row in Generator.Training(3, 400, 8).Where(row => row.Answer.Count > 0))
        {
            string request = row.Messages[^1].Content!;
            string think = row.Think!;
            int from = 0;
            foreach (TrainingCall call in row.Answer)
            {
                using JsonDocument schema = JsonDocument.Parse(row.Tools.Single(tool => tool.Name == call.Name).FunctionJson);
                string asked = Upto($" fits {Quoted(schema.RootElement)}. Use {call.Name}");
                string[] read = asked[(asked.IndexOf("Asked: ", StringComparison.Ordinal) + 7)..].Split("; ");
                string gist = read[0].Split(". ")[0];
                Assert.EndsWith(". " + gist, read[^1], StringComparison.Ordinal);
                read = [.. string.Join("; ", read)[..^(gist.Length + 2)].Split("; ").Skip(1)];
                Assert.All(read, words => Assert.Contains(words, request, StringComparison.OrdinalIgnoreCase));

                using JsonDocument arguments = JsonDocument.Parse(call.ArgumentsJson);
                List<string> used = [];
                int omitted = 0;
                foreach (JsonProperty parameter in schema.RootElement.GetProperty("parameters").GetProperty("properties").EnumerateObject())
                {
                    Assert.Equal(used.Count + omitted == 0 ? ": " : "; ", Upto(parameter.Value.TryGetProperty("description", out _) ? $"{parameter.Name}: {Quoted(parameter.Value)}" : parameter.Name));
                    if (arguments.RootElement.TryGetProperty(parameter.Name, out JsonElement value))
                    {
                        used.Add(Upto($" = {value.GetRawText()}")[": ".Length..]);
                    }
                    else
                    {
                        Assert.Equal(string.Empty, Upto(" = none"));
                        omitted++;
                    }
                }

                Assert.Equal(string.Join("; ", read).Split("; ").Order(), string.Join("; ", used).Split("; ").Order());
            }

            string Upto(string part)
            {
                int found = think.IndexOf(part, from, StringComparison.Ordinal);
                Assert.True(found >= 0, $"'{part}' is not after {from} in: {think}");
                string before = think[from..found];
                from = found + part.Length;
                return before;
            }
        }

        static string Quoted(JsonElement described)
        {
            string text = described.GetProperty("description").GetString()!;
            int end = text.AsSpan(1).IndexOfAny(".,;:(");
            return (end < 0 ? text : text[..(end + 1)]).Trim();
        }
    }

    [Fact]
    public void Training_Descriptions_AreSaidInManyWays()
    {
        HashSet<string> said = [];
        foreach (TrainingRow row in Generator.Training(3, 2000, 9))
        {
            foreach (ChatTool tool in row.Tools)
            {
                using JsonDocument schema = JsonDocument.Parse(tool.FunctionJson);
                foreach (JsonProperty parameter in schema.RootElement.GetProperty("parameters").GetProperty("properties").EnumerateObject())
                {
                    if (parameter.Value.TryGetProperty("description", out JsonElement description))
                    {
                        said.Add(description.GetString()!);
                    }
                }
            }
        }

        Assert.True(said.Count > 1500, $"{said.Count} descriptions");
    }

    [Fact]
    public void HeldOut_UnseenDomains_ShareNoFunctionWithTraining()
    {
        HashSet<string> trained = [.. Generator.Training(3, 2_000, 11).SelectMany(row => row.Tools).Select(tool => tool.Name)];
        Assert.All(Generator.HeldOut("unseen", "several", 300, 1).SelectMany(row => row.Tools), tool => Assert.DoesNotContain(tool.Name, trained));
    }

    // Words with a digit, an @ or a capital are values of open kinds (choices are lower-case words); dates and numbers are left out as their kinds vary.
    private static IEnumerable<string> LongTexts(TrainingRow row) => row.Answer.SelectMany(call =>
    {
        using JsonDocument arguments = JsonDocument.Parse(call.ArgumentsJson);
        return arguments.RootElement.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.String).Select(p => p.Value.GetString()!)
            .Where(text => text.Contains('@') || text.Contains(".com", StringComparison.Ordinal) || (text.Length == 10 && text[4] == '-')).ToArray();
    });

    private static void AssertConsistent(TrainingRow row)
    {
        Assert.Equal(TrainingRowWriter.ToJson(row), TrainingRowWriter.ToJson(TrainingRowReader.Parse(TrainingRowWriter.ToJson(row), "row", 1)));
        Assert.Equal(row.Tools.Count, row.Tools.Select(tool => tool.Name).Distinct().Count());
        string request = row.Messages.Last(message => message.Role == ChatRole.User).Content!;
        foreach (TrainingCall call in row.Answer)
        {
            ChatTool tool = Assert.Single(row.Tools, tool => tool.Name == call.Name);
            using JsonDocument function = JsonDocument.Parse(tool.FunctionJson);
            JsonElement parameters = function.RootElement.GetProperty("parameters");
            using JsonDocument arguments = JsonDocument.Parse(call.ArgumentsJson);
            Assert.All(parameters.GetProperty("required").EnumerateArray(), name => Assert.True(arguments.RootElement.TryGetProperty(name.GetString()!, out _)));
            foreach (JsonProperty argument in arguments.RootElement.EnumerateObject())
            {
                JsonElement schema = parameters.GetProperty("properties").GetProperty(argument.Name);
                AssertFits(argument.Value, schema);
                if (argument.Value.ValueKind == JsonValueKind.String)
                {
                    Assert.Contains(argument.Value.GetString()!, request, StringComparison.OrdinalIgnoreCase);
                }
            }

            Assert.Contains(call.Name, row.Think!, StringComparison.Ordinal);
        }
    }

    private static void AssertFits(JsonElement value, JsonElement schema)
    {
        JsonValueKind[] kinds = schema.GetProperty("type").GetString() switch
        {
            "string" => [JsonValueKind.String],
            "integer" or "number" or "float" => [JsonValueKind.Number],
            "boolean" => [JsonValueKind.True, JsonValueKind.False],
            _ => [JsonValueKind.Array],
        };
        Assert.Contains(value.ValueKind, kinds);
        if (schema.TryGetProperty("enum", out JsonElement choices))
        {
            Assert.Contains(value.GetString(), choices.EnumerateArray().Select(choice => choice.GetString()));
        }
    }
}
