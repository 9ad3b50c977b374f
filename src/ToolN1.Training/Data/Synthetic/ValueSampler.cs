using ToolN1.Engine.Chat;

namespace ToolN1.Training.Data.Synthetic;

/// <summary>
/// Draws parameter values. Values of open kinds (names, texts, codes, dates, larger numbers) are on one side of the
/// split only; closed kinds (choices, flags, small counts) have no sides.
/// </summary>
internal sealed class ValueSampler(IReadOnlyDictionary<string, string[]> pools)
{
    private static readonly string[] CountWords = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    private static readonly HashSet<string> Closed = ["flag", "count", "percent", "age", "rating", "unit", "currency", "language", "cuisine", "color", "genre", "planet"];

    /// <summary>Whether values of this kind are split between training and held-out sets.</summary>
    public static bool IsOpen(string kind) => !Closed.Contains(kind) && !kind.StartsWith("enum:", StringComparison.Ordinal);

    /// <summary>A value of the kind, on the given side where the kind has sides.</summary>
    public SampledValue Draw(string kind, SeededRandom random, DataSplit split)
    {
        while (true)
        {
            if (kind is "foods" or "words" or "persons" or "numbers")
            {
                return List(kind, random, split);
            }

            SampledValue value = Once(kind, random, split);
            if (!IsOpen(kind) || RandomWords.SplitOf(value.Spoken) == split)
            {
                return value;
            }
        }
    }

    private SampledValue List(string kind, SeededRandom random, DataSplit split)
    {
        string item = kind switch { "foods" => "ingredient", "words" => "word", "persons" => "person", _ => "number" };
        List<SampledValue> values = [];
        int count = random.Between(1, 4) is int n && kind == "numbers" ? n + 1 : Math.Min(n, 3);
        while (values.Count < count)
        {
            SampledValue value = Draw(item, random, split);
            if (values.TrueForAll(v => v.Spoken != value.Spoken))
            {
                values.Add(value);
            }
        }

        string spoken = values.Count == 1 ? values[0].Spoken
            : string.Join(", ", values.Take(values.Count - 1).Select(v => v.Spoken)) + " and " + values[^1].Spoken;
        return new SampledValue(spoken, "[" + string.Join(", ", values.Select(v => v.Json)) + "]");
    }

    private SampledValue Once(string kind, SeededRandom random, DataSplit split)
    {
        if (kind.StartsWith("enum:", StringComparison.Ordinal))
        {
            return Text(random.Pick(kind[5..].Split('/')));
        }

        switch (kind)
        {
            case "flag":
                return random.Chance(0.5) ? new SampledValue("T", "true") : new SampledValue("F", "false");
            case "count":
                int count = random.Between(1, random.Chance(0.7) ? 10 : 30);
                return new SampledValue(count is > 1 and <= 10 && random.Chance(0.35) ? CountWords[count] : count.ToString(), count.ToString());
            case "percent":
                return Number(random.Chance(0.5) ? random.Between(1, 20) * 5 : random.Between(1, 100));
            case "age":
                return Number(random.Between(2, 95));
            case "number":
                return Number(random.Chance(0.5) ? random.Between(1, 40) * 5 : random.Between(2, 999));
            case "year":
                return Number(random.Between(1950, 2029));
            case "height":
                return Number(random.Between(90, 215));
            case "rating":
                return Decimals(random.Between(1, 5), random.Chance(0.4) ? 5 : 0, random);
            case "money":
                return random.Chance(0.3) ? Decimals(random.Between(1, 999), random.Between(1, 99), random) : Number(random.Chance(0.5) ? random.Between(1, 99) * 50 : random.Between(3, 9999));
            case "decimal" or "weight" or "distance" or "degrees":
                return random.Chance(0.6) ? Decimals(random.Between(1, 120), random.Between(1, 9), random) : Number(random.Between(1, 400));
            case "area":
                return Number(random.Between(5, 900));
            case "coordinate":
                string sign = random.Chance(0.3) ? "-" : string.Empty;
                string degrees = $"{sign}{random.Between(1, 89)}.{random.Between(1, 9)}{random.Between(1, 9)}";
                return new SampledValue(degrees, degrees);
            case "date":
                return Text($"{random.Between(2023, 2028)}-{random.Between(1, 12):00}-{random.Between(1, 28):00}");
            case "time":
                return Text($"{random.Between(0, 23):00}:{random.Between(0, 11) * 5:00}");
            case "person":
                string first = random.Chance(0.7) ? random.Pick(pools["first"]) : RandomWords.Name(random, split);
                return Text(random.Chance(0.5) ? first : first + " " + (random.Chance(0.6) ? random.Pick(pools["last"]) : RandomWords.Name(random, split)));
            case "email":
                string user = random.Chance(0.6) ? random.Pick(pools["first"]).ToLowerInvariant() : RandomWords.Word(random, split);
                return Text($"{user}{(random.Chance(0.3) ? "." + random.Pick(pools["last"]).ToLowerInvariant() : string.Empty)}@{RandomWords.Word(random, split)}.{random.Pick(["com", "org", "net", "example"])}");
            case "phone":
                return Text($"+{random.Between(1, 99)} {random.Between(100, 999)} {random.Between(1000, 99999)}");
            case "digits":
                return Text(random.Between(10000, 99999).ToString());
            case "code":
                return Text(random.Below(4) switch
                {
                    0 => $"{(char)('A' + random.Below(26))}{(char)('A' + random.Below(26))}{random.Between(100, 9999)}",
                    1 => $"{(char)('A' + random.Below(26))}-{random.Between(10, 9999)}",
                    2 => $"{RandomWords.Word(random, split)}-{random.Between(1, 99)}",
                    _ => random.Between(1000, 999999).ToString(),
                });
            case "ticker":
                return Text(string.Concat(Enumerable.Range(0, random.Between(3, 4)).Select(_ => (char)('A' + random.Below(26)))));
            case "username":
                return Text(random.Chance(0.5) ? RandomWords.Word(random, split) + random.Between(1, 99) : random.Pick(pools["first"]).ToLowerInvariant() + "_" + RandomWords.Word(random, split));
            case "filename":
                return Text((random.Chance(0.5) ? random.Pick(pools["noun"]) : RandomWords.Word(random, split)) + (random.Chance(0.4) ? "_" + random.Between(1, 99) : string.Empty) + "." + random.Pick(["pdf", "txt", "docx", "csv", "jpg", "md"]));
            case "url":
                return Text($"https://{RandomWords.Word(random, split)}.{random.Pick(["com", "org", "io"])}{(random.Chance(0.4) ? "/" + random.Pick(pools["noun"]) : string.Empty)}");
            case "street":
                return Text($"{random.Between(1, 250)} {(random.Chance(0.5) ? random.Pick(pools["last"]) : RandomWords.Name(random, split))} {random.Pick(["Street", "Road", "Avenue", "Lane"])}");
            case "place":
                return Text((random.Chance(0.4) ? random.Pick(pools["adjective"]) is string a ? char.ToUpperInvariant(a[0]) + a[1..] : string.Empty : RandomWords.Name(random, split)) + " " + random.Pick(pools["placename"]));
            case "title":
                string title = random.Below(4) switch
                {
                    0 => RandomWords.Name(random, split),
                    1 => "The " + Capital(random.Pick(pools["noun"])),
                    2 => Capital(random.Pick(pools["adjective"])) + " " + Capital(random.Pick(pools["noun"])),
                    _ => RandomWords.Name(random, split) + " " + Capital(random.Pick(pools["noun"])),
                };
                return Text(title);
            case "word":
                return Text(random.Chance(0.4) ? random.Pick(pools["noun"]) : RandomWords.Word(random, split));
            case "sentence":
                return Text(random.Chance(0.5) ? random.Pick(pools["sentence"]) : $"{Capital(random.Pick(pools["adjective"]))} {random.Pick(pools["noun"])} {RandomWords.Word(random, split)}");
            case "city" or "company" when random.Chance(0.35):
                return Text(RandomWords.Name(random, split) + (random.Chance(0.2) ? " " + RandomWords.Name(random, split) : string.Empty));
            case "team" or "country" when random.Chance(0.2):
                return Text(RandomWords.Name(random, split));
            case "topic" or "product" or "food" or "device" or "symptom" or "ingredient" or "plant" or "animal" or "room" or "vehicle" when random.Chance(0.2):
                return Text(RandomWords.Word(random, split));
            default:
                return Text(random.Pick(pools[kind]));
        }
    }

    private static SampledValue Text(string text) => new(text, PythonJson.Quote(text));

    private static SampledValue Number(int value) => new(value.ToString(), value.ToString());

    private static SampledValue Decimals(int whole, int fraction, SeededRandom random)
    {
        string text = fraction == 0 ? whole.ToString() : $"{whole}.{(fraction < 10 && random.Chance(0.3) ? "0" + fraction : fraction.ToString())}";
        return new SampledValue(text, text);
    }

    private static string Capital(string word) => char.ToUpperInvariant(word[0]) + word[1..];
}
