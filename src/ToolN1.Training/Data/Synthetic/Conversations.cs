using ToolN1.Engine.Chat;

namespace ToolN1.Training.Data.Synthetic;

/// <summary>What comes before and after a call: results of tools, the answer in words, a second request.</summary>
internal sealed class Conversations(Catalog catalog, ValueSampler values)
{
    private static readonly (string Name, string Kind)[] Fields =
    [
        ("temperature", "decimal"), ("price", "money"), ("total", "number"), ("count", "count"), ("id", "code"), ("name", "person"), ("date", "date"),
        ("time", "time"), ("title", "title"), ("city", "city"), ("message", "sentence"), ("rating", "decimal"), ("distance", "distance"), ("unit", "unit"),
        ("currency", "currency"), ("value", "decimal"), ("available", "flag"), ("email", "email"), ("order_id", "code"), ("company", "company"), ("duration", "count"),
        ("status", "state"), ("condition", "condition"), ("humidity", "count"), ("confirmation", "code"), ("user", "username"), ("success", "flag"), ("language", "language"),
    ];

    private static readonly string[] States = ["ok", "success", "done", "confirmed", "pending", "sent", "created", "deleted", "shipped", "booked", "failed", "active"];
    private static readonly string[] Conditions = ["sunny", "cloudy", "rainy", "windy", "clear", "foggy", "snowy", "light rain", "partly cloudy", "stormy"];

    /// <summary>The row's call has been made: with the tools still on offer there is nothing more to call.</summary>
    public TrainingRow Finished(TrainingRow row, SeededRandom random) => row with
    {
        Messages = Called(row, random, out _),
        Answer = [],
        Think = "The result is there. Nothing more to call.",
    };

    /// <summary>The row's call has been made and told; then comes another request with the same tools.</summary>
    public TrainingRow Again(TrainingRow row, TrainingRow next, SeededRandom random)
    {
        IReadOnlyList<ChatMessage> called = Called(row, random, out string told);
        ChatMessage answer = new() { Role = ChatRole.Assistant, Content = told };
        return next with { Messages = [.. called, answer, .. next.Messages] };
    }

    /// <summary>The row's calls have been made: their results in words, tools no longer shown.</summary>
    public TrainingRow Told(TrainingRow row, SeededRandom random)
    {
        IReadOnlyList<ChatMessage> called = Called(row, random, out string told);
        return row with { Tools = [], Messages = called, Answer = [], Think = null, Reply = told };
    }

    /// <summary>A conversation without tools: small talk, or a request that would need one.</summary>
    public TrainingRow WithoutTools(TrainingRow row, string gist, SeededRandom random)
    {
        (string Said, string Reply) talk = random.Pick(catalog.SmallTalk);
        bool isTalk = random.Chance(0.5);
        return row with
        {
            Tools = [],
            Messages = isTalk ? [new ChatMessage { Role = ChatRole.User, Content = RequestWriter.Loosely(talk.Said, random) }] : row.Messages,
            Answer = [],
            Think = null,
            Reply = isTalk ? talk.Reply : $"I have no tool to {gist}.",
        };
    }

    private IReadOnlyList<ChatMessage> Called(TrainingRow row, SeededRandom random, out string told)
    {
        List<ToolCall> calls = [];
        List<ChatMessage> results = [];
        List<string> texts = [];
        foreach (TrainingCall call in row.Answer)
        {
            string id = "call_" + random.Between(100, 999) + calls.Count;
            calls.Add(new ToolCall(id, call.Name, call.ArgumentsJson));
            (string json, string words) = Result(random);
            results.Add(new ChatMessage { Role = ChatRole.Tool, Content = json, ToolCallId = id });
            texts.Add(words);
        }

        told = $"The result: {string.Join("; ", texts)}.";
        return [.. row.Messages, new ChatMessage { Role = ChatRole.Assistant, Content = null, ToolCalls = calls }, .. results];
    }

    private (string Json, string Words) Result(SeededRandom random)
    {
        switch (random.Below(8))
        {
            case 0:
                string state = random.Pick(States);
                return (state, state);
            case 1:
                SampledValue value = values.Draw(random.Pick(["count", "decimal", "money", "time", "title", "sentence"]), random, DataSplit.Train);
                return (random.Chance(0.5) ? value.Json : value.Json.Trim('"'), value.Json.Trim('"'));
            case 2:
                (string first, string firstWords) = Record(random, 2);
                (string second, string secondWords) = Record(random, 2);
                string name = random.Pick(["results", "items", "data", "matches", "options"]);
                return ($"{{\"{name}\": [{first}, {second}]}}", $"{firstWords}; {secondWords}");
            default:
                return Record(random, 4);
        }
    }

    private (string Json, string Words) Record(SeededRandom random, int most)
    {
        List<string> json = [];
        List<string> words = [];
        foreach ((string name, string kind) in random.Shuffled(Fields).Take(random.Between(1, most)))
        {
            SampledValue value = kind switch
            {
                "state" => new SampledValue(random.Pick(States), string.Empty),
                "condition" => new SampledValue(random.Pick(Conditions), string.Empty),
                "flag" => new SampledValue(random.Pick(["true", "false"]), "flag"),
                _ => values.Draw(kind, random, DataSplit.Train),
            };
            string text = value.Json.Length == 0 ? PythonJson.Quote(value.Spoken) : value.Json == "flag" ? value.Spoken : value.Json;
            json.Add($"\"{name}\": {text}");
            words.Add($"{name.Replace('_', ' ')} {text.Trim('"')}");
        }

        return ("{" + string.Join(", ", json) + "}", string.Join(", ", words));
    }
}
