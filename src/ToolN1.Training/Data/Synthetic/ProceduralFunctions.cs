namespace ToolN1.Training.Data.Synthetic;

/// <summary>Functions made of words that mean nothing, so that only the text of the tool can tell what it is for. Their words are disjoint from every domain's.</summary>
internal static class ProceduralFunctions
{
    private static readonly string[] Kinds = ["city", "person", "date", "count", "number", "decimal", "code", "word", "word", "title", "words", "money", "time", "username", "topic", "product", "sentence"];

    /// <summary>A new function.</summary>
    public static FunctionSpec Make(SeededRandom random, DataSplit split, int maximumParameters)
    {
        string act = RandomWords.Word(random, split);
        string thing = RandomWords.Word(random, split);
        Verb verb = random.Chance(0.5)
            ? new Verb(act, [act], [char.ToUpperInvariant(act[0]) + act[1..], char.ToUpperInvariant(act[0]) + act[1..] + "s"], random.Pick(["the", "a"]), [act], [])
            : new Verb("get", ["get", "fetch", "read"], ["Get", "Returns", "Retrieve"], "the", ["get", "show me", "tell me", "check"], ["What is the {o} {f}?", "I want to know the {o} {f}.", "What's the {o} {f}?"]);
        int count = random.Chance(0.04) ? 0 : random.Between(1, maximumParameters);
        HashSet<string> words = [];
        List<ParameterUse> parameters = [];
        while (parameters.Count < count)
        {
            string word = RandomWords.Word(random, split);
            if (words.Add(word))
            {
                parameters.Add(new ParameterUse(Role(word, random, split), parameters.Count == 0 || random.Chance(0.55)));
            }
        }

        return new FunctionSpec(new Domain(RandomWords.Word(random, split), split, [], [], []), verb, new DomainObject([random.Chance(0.3) ? thing + " " + RandomWords.Word(random, split) : thing]), [.. parameters]);
    }

    private static ParameterRole Role(string word, SeededRandom random, DataSplit split)
    {
        string kind = random.Chance(0.15) ? "enum:" + string.Join('/', Enumerable.Range(0, random.Between(2, 4)).Select(_ => RandomWords.Word(random, split)).Distinct()) : random.Pick(Kinds);
        string type = kind switch { "count" or "number" => "integer", "decimal" or "money" => "number", "words" => "array", _ => "string" };
        string quoted = kind == "sentence" ? "\"{v}\"" : "{v}";
        string[] phrases = [$"with {word} {quoted}", $"with the {word} {quoted}", $"and {word} {quoted}", $"using {quoted} as {word}", $", {word} {quoted}", $"whose {word} is {quoted}", $"for {word} {quoted}"];
        string kindWord = type == "array" ? "list" : type == "string" ? "value" : "number";
        string[] descriptions = [$"The {word}", $"{char.ToUpperInvariant(word[0])}{word[1..]} to use", $"Which {word} it is", $"The {kindWord} of the {word}"];
        return new ParameterRole(word, type, kind, [word], descriptions, phrases);
    }
}
