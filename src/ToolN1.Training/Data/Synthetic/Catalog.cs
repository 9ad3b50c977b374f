using System.Reflection;

namespace ToolN1.Training.Data.Synthetic;

/// <summary>What the generator knows: verbs, parameter roles, domains and value pools, read from the text files beside this class.</summary>
internal sealed class Catalog
{
    private Catalog(IReadOnlyDictionary<string, Verb> verbs, IReadOnlyDictionary<string, ParameterRole> roles, IReadOnlyList<Domain> domains, IReadOnlyDictionary<string, string[]> pools)
    {
        Verbs = verbs;
        Roles = roles;
        Domains = domains;
        Pools = pools;
        List<FunctionSpec> functions = [];
        foreach (Domain domain in domains)
        {
            foreach (string verb in domain.Verbs)
            {
                functions.AddRange(domain.Objects.Select(thing => FunctionSpec.Compose(domain, verbs[verb], thing, roles)));
            }
        }

        Functions = functions;
        Common = [.. Rows("Common.txt").Select(FunctionOf)];
        Systems = [.. Lines("Systems.txt")];
        SmallTalk = [.. Rows("SmallTalk.txt").Select(fields => (fields[0], fields[1]))];
    }

    /// <summary>By key.</summary>
    public IReadOnlyDictionary<string, Verb> Verbs { get; }

    /// <summary>By key.</summary>
    public IReadOnlyDictionary<string, ParameterRole> Roles { get; }

    /// <summary>All domains, trained and held out.</summary>
    public IReadOnlyList<Domain> Domains { get; }

    /// <summary>Value pools by name.</summary>
    public IReadOnlyDictionary<string, string[]> Pools { get; }

    /// <summary>Every verb on every object of every domain.</summary>
    public IReadOnlyList<FunctionSpec> Functions { get; }

    /// <summary>Functions as people often offer them (weather, e-mail …); all of trained domains.</summary>
    public IReadOnlyList<FunctionSpec> Common { get; }

    /// <summary>System texts that clients send.</summary>
    public IReadOnlyList<string> Systems { get; }

    /// <summary>What people say to a chat program without needing a tool, and a reply.</summary>
    public IReadOnlyList<(string Said, string Reply)> SmallTalk { get; }

    /// <summary>Reads the files.</summary>
    public static Catalog Load() => new(
        Rows("Verbs.txt").Select(f => new Verb(f[0], Items(f[1]), Items(f[2]), f[3], Items(f[4]), f.Length > 5 ? Sentences(f[5]) : [])).ToDictionary(v => v.Key),
        Rows("Roles.txt").Select(f => new ParameterRole(f[0], f[1], f[2], Items(f[3]), Sentences(f[4]), Sentences(f[5]))).ToDictionary(r => r.Key),
        [.. Rows("Domains.txt").Select(f => new Domain(f[0], f[1] == "test" ? DataSplit.HeldOut : DataSplit.Train, Items(f[2]), [.. Items(f[3]).Select(o => new DomainObject([.. o.Split('=', StringSplitOptions.TrimEntries)]))], Items(f[4])))],
        Lines("Pools.txt").Select(line => line.Split(':', 2)).ToDictionary(p => p[0].Trim(), p => Items(p[1])));

    private static IEnumerable<string[]> Rows(string name) => Lines(name).Select(line => line.Split(" | ", StringSplitOptions.TrimEntries));

    private static string[] Items(string list) => list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static string[] Sentences(string list) => list.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static IEnumerable<string> Lines(string name)
    {
        Assembly assembly = typeof(Catalog).Assembly;
        string resource = assembly.GetManifestResourceNames().Single(n => n.EndsWith(".Synthetic." + name, StringComparison.Ordinal));
        using StreamReader reader = new(assembly.GetManifestResourceStream(resource)!);
        return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.TrimEntries).Where(line => line.Length > 0 && line[0] != '#')];
    }

    private FunctionSpec FunctionOf(string[] fields)
    {
        Domain domain = Domains.Single(d => d.Key == fields[0]);
        DomainObject thing = domain.Objects.FirstOrDefault(o => o.Key == fields[2]) ?? new DomainObject([fields[2]]);
        return new FunctionSpec(domain, Verbs[fields[1]], thing, [.. fields[3].Split(' ').Select(p => new ParameterUse(Roles[p.TrimEnd('!')], p.EndsWith('!')))])
        {
            Descriptions = Sentences(fields[4]),
            Sentences = Sentences(fields[5]),
        };
    }
}
