namespace ToolN1.Training.Data.Synthetic;

/// <summary>What is done: its words in names, descriptions and requests, and whole sentences of its own.</summary>
internal sealed record Verb(string Key, string[] Names, string[] Descriptions, string Article, string[] Requests, string[] Sentences)
{
    /// <summary>Verbs of one class on one object mean nearly the same; a tool list holds one of them at most.</summary>
    public string Class => Key switch
    {
        "book" or "order" or "create" or "schedule" or "generate" or "send" or "upload" or "start" or "play" or "pay" or "assign" or "open" => "make",
        "delete" or "cancel" or "stop" or "close" => "end",
        "update" or "set" => "change",
        "share" or "download" or "convert" or "translate" or "summarize" => Key,
        _ => "know",
    };
}

/// <summary>What it is done to: the usual words first, then others for the same.</summary>
internal sealed record DomainObject(string[] Words)
{
    /// <summary>The usual words.</summary>
    public string Key => Words[0];
}

/// <summary>A field of life with its verbs, objects and parameter roles.</summary>
internal sealed record Domain(string Key, DataSplit Split, string[] Verbs, DomainObject[] Objects, string[] Roles);

/// <summary>A kind of parameter: JSON type, values, possible names and descriptions, and how a request mentions it.</summary>
internal sealed record ParameterRole(string Key, string Type, string Values, string[] Names, string[] Descriptions, string[] Phrases)
{
    /// <summary>What a value looks like: two roles of one look are told apart by words alone.</summary>
    private string Look => Values switch
    {
        _ when Type == "array" => "list",
        _ when Type is "boolean" or "integer" or "number" => Type == "boolean" ? Type : "number",
        "date" or "time" or "email" or "phone" or "url" or "filename" or "street" or "sentence" => Values,
        "code" or "ticker" or "digits" or "username" or "plate" => "code",
        _ when Values.StartsWith("enum:", StringComparison.Ordinal) => Values,
        _ => "name",
    };

    /// <summary>Whether a request or a schema could mean either: values look alike, and a phrase, a name or a description is common to both.</summary>
    public bool IsConfusedWith(ParameterRole other) => Look == other.Look
        && (Phrases.Intersect(other.Phrases).Any() || Names.Intersect(other.Names).Any() || Descriptions.Intersect(other.Descriptions).Any());
}

/// <summary>A role in a function.</summary>
internal sealed record ParameterUse(ParameterRole Role, bool Required);

/// <summary>A function without its outer form: what it does, to what, with which parameters.</summary>
internal sealed record FunctionSpec(Domain Domain, Verb Verb, DomainObject Object, ParameterUse[] Parameters)
{
    /// <summary>Of a function that is made of a verb and an object.</summary>
    private const int MostParameters = 4;

    /// <summary>Descriptions of its own, beside those made of verb and object.</summary>
    public string[] Descriptions { get; init; } = [];

    /// <summary>Whole requests of its own ({f} parameters), beside those of the verb.</summary>
    public string[] Sentences { get; init; } = [];

    /// <summary>What a request for it asks, in two or three words.</summary>
    public string Gist => Verb.Key + " " + Object.Key;

    /// <summary>The function of a verb on an object of a domain: its parameters are drawn from the domain's roles, always the same ones.</summary>
    public static FunctionSpec Compose(Domain domain, Verb verb, DomainObject thing, IReadOnlyDictionary<string, ParameterRole> roles)
    {
        SeededRandom random = new(SeededRandom.Hash($"{domain.Key}/{verb.Key}/{thing.Key}"));
        List<string> chosen = [];
        foreach (string key in random.Shuffled(domain.Roles))
        {
            if (!chosen.Exists(other => roles[other].IsConfusedWith(roles[key])))
            {
                chosen.Add(key);
            }
        }

        int required = Math.Min(random.Pick([1, 1, 1, 2, 2, 3]), chosen.Count);
        int optional = Math.Min(random.Pick([0, 0, 1, 1, 2]), Math.Min(chosen.Count, MostParameters) - required);
        if (verb.Key is "convert" or "calculate" or "compare" && domain.Roles.Length <= 4)
        {
            chosen = [.. domain.Roles.Where(chosen.Contains)];
            required = Math.Max(1, chosen.Count - 1);
            optional = chosen.Count - required;
        }

        return new FunctionSpec(domain, verb, thing, [.. chosen.Take(required + optional).Select((key, i) => new ParameterUse(roles[key], i < required))]);
    }

    /// <summary>Whether a request for one could be taken for a request for the other.</summary>
    public bool IsLike(FunctionSpec other) => Object.Key == other.Object.Key && Verb.Class == other.Verb.Class;
}
