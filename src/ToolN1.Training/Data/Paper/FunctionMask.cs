using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ToolN1.Engine.Chat;
using ToolN1.Training.Data.Synthetic;

namespace ToolN1.Training.Data.Paper;

/// <summary>
/// Function masking: names of functions and parameters become random characters, so that only descriptions tell what a tool
/// does. Tools are shuffled, repeated ones dropped. Where an argument equals its parameter's default, both get another value,
/// in the descriptions and the request too: else the answer could be read off the schema.
/// </summary>
/// <remarks>
/// Hammer, arXiv:2410.04587, in the form that Tool-N1's data script has and does not call. That one turns flags into
/// numbers; here they stay.
/// </remarks>
internal static class FunctionMask
{
    private const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.";

    /// <summary>The masked row.</summary>
    public static TrainingRow Apply(TrainingRow row, SeededRandom random)
    {
        // 1. Tools once each, in another order.
        List<(string Name, JsonObject Tool)> tools = random.Shuffled(row.Tools.DistinctBy(tool => tool.Name))
            .Select(tool => (tool.Name, (JsonObject)JsonNode.Parse(tool.FunctionJson)!)).ToList();
        Dictionary<string, JsonObject> byName = tools.ToDictionary(tool => tool.Name, tool => tool.Tool, StringComparer.Ordinal);

        // 2. Other values where an argument is its default.
        string request = row.Messages[^1].Content ?? "";
        List<TrainingCall> answer = row.Answer.Select(call =>
            byName.TryGetValue(call.Name, out JsonObject? tool) ? call with { ArgumentsJson = ChangeDefaults(call.ArgumentsJson, Parameters(tool), random, ref request) } : call).ToList();

        // 3. Names.
        Dictionary<string, Masked> masks = Names(tools, random);
        return row with
        {
            Tools = tools.ConvertAll(tool => Rename(tool.Tool, masks[tool.Name])),
            Answer = answer.ConvertAll(call => masks.TryGetValue(call.Name, out Masked? mask) ? new TrainingCall(mask.Name, Rename(call.ArgumentsJson, mask)) : call),
            Messages = row.Messages.Select((message, i) => message with
            {
                Content = i == row.Messages.Count - 1 ? request : message.Content,
                ToolCalls = message.ToolCalls.Select(call => masks.TryGetValue(call.Name, out Masked? mask) ? call with { Name = mask.Name, Arguments = Rename(call.Arguments, mask) } : call).ToList(),
            }).ToList(),
        };
    }

    /// <summary>The parameters by name: a JSON schema's properties (ToolACE), or a flat map (xLAM); empty where there is neither.</summary>
    private static JsonObject Parameters(JsonObject tool) => tool["parameters"] is not JsonObject parameters ? []
        : parameters["properties"] is JsonObject properties && parameters["type"] is JsonValue ? properties
        : parameters;

    private static Dictionary<string, Masked> Names(List<(string Name, JsonObject Tool)> tools, SeededRandom random)
    {
        HashSet<string> taken = [];
        Dictionary<string, Masked> masks = new(StringComparer.Ordinal);
        foreach ((string name, JsonObject tool) in tools)
        {
            HashSet<string> takenHere = [];
            masks[name] = new Masked(
                Word(random, 5, 15, taken), Parameters(tool).ToDictionary(parameter => parameter.Key, _ => Word(random, 4, 10, takenHere), StringComparer.Ordinal));
        }

        return masks;
    }

    private static string Word(SeededRandom random, int shortest, int longest, HashSet<string> taken)
    {
        while (true)
        {
            string word = string.Concat(Enumerable.Range(0, random.Between(shortest, longest)).Select(_ => Letters[random.Below(Letters.Length)]));
            if (taken.Add(word))
            {
                return word;
            }
        }
    }

    private static string ChangeDefaults(string argumentsJson, JsonObject parameters, SeededRandom random, ref string request)
    {
        JsonObject arguments = (JsonObject)JsonNode.Parse(argumentsJson)!;
        foreach ((string name, JsonNode? value) in arguments.ToList())
        {
            if (value is not JsonValue || parameters[name] is not JsonObject parameter || parameter["default"] is not JsonValue usual
                || value.ToJsonString() != usual.ToJsonString() || Other(value, random) is not JsonValue other)
            {
                continue;
            }

            string before = Plain(value);
            string after = Plain(other);
            parameter["default"] = other.DeepClone();
            if (parameter["description"] is JsonValue description && description.GetValueKind() == JsonValueKind.String)
            {
                parameter["description"] = Replace(description.GetValue<string>(), before, after);
            }

            arguments[name] = other;
            request = Replace(request, before, after);
        }

        return Write(arguments);
    }

    /// <summary>Another value of the same kind; null for flags, null and the empty text.</summary>
    private static JsonValue? Other(JsonNode value, SeededRandom random)
    {
        switch (value.GetValueKind())
        {
            case JsonValueKind.Number when long.TryParse(value.ToJsonString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole) && whole < long.MaxValue - 4:
                return JsonValue.Create(whole + random.Between(1, 4));
            case JsonValueKind.Number when double.TryParse(value.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number):
                return JsonValue.Create(Math.Round(number + (random.Between(1, 99) / 100.0), 6));
            case JsonValueKind.String when value.GetValue<string>().Length > 0:
                return JsonValue.Create(Word(random, 5, 5, []));
            default:
                return null;
        }
    }

    private static string Plain(JsonNode value) => value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : value.ToJsonString();

    /// <summary>Replaces whole words only: the default 5 is not in "15".</summary>
    private static string Replace(string text, string before, string after) =>
        Regex.Replace(text, $@"(?<![\w.]){Regex.Escape(before)}(?![\w]|\.\d)", after.Replace("$", "$$", StringComparison.Ordinal));

    private static ChatTool Rename(JsonObject tool, Masked mask)
    {
        tool["name"] = mask.Name;
        JsonObject parameters = Parameters(tool);
        RenameKeys(parameters, mask);
        if (tool["parameters"] is JsonObject schema && !ReferenceEquals(schema, parameters) && schema["required"] is JsonArray required)
        {
            schema["required"] = new JsonArray([.. required.Select(item =>
                item is JsonValue && item.GetValueKind() == JsonValueKind.String ? JsonValue.Create(mask.Parameter(item.GetValue<string>())) : item?.DeepClone())]);
        }

        return new ChatTool(mask.Name, Write(tool));
    }

    private static string Rename(string argumentsJson, Masked mask)
    {
        JsonObject arguments = (JsonObject)JsonNode.Parse(argumentsJson)!;
        RenameKeys(arguments, mask);
        return Write(arguments);
    }

    private static void RenameKeys(JsonObject fields, Masked mask)
    {
        List<KeyValuePair<string, JsonNode?>> entries = [.. fields];
        fields.Clear();
        foreach ((string name, JsonNode? value) in entries)
        {
            fields[mask.Parameter(name)] = value;
        }
    }

    private static string Write(JsonObject value)
    {
        using JsonDocument document = JsonDocument.Parse(value.ToJsonString());
        return PythonJson.Write(document.RootElement);
    }

    /// <summary>The names of one tool; a parameter that it does not describe keeps its own.</summary>
    private sealed record Masked(string Name, Dictionary<string, string> Parameters)
    {
        public string Parameter(string name) => Parameters.GetValueOrDefault(name, name);
    }
}
