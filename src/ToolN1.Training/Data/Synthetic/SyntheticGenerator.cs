using ToolN1.Engine.Chat;

namespace ToolN1.Training.Data.Synthetic;

/// <summary>
/// Makes tool-calling examples from verbs, objects, parameter kinds and value pools. The same seed makes the same rows.
/// Training rows come in groups of adjacent rows with the same tools, so that a trainer can pack
/// the shared beginning once. Held-out rows share neither values nor domains (by set) with training rows.
/// </summary>
public sealed class SyntheticGenerator
{
    /// <summary>Adjacent training rows with the same tools, unless told otherwise.</summary>
    public const int DefaultGroupSize = 4;

    /// <summary>The held-out sets: what is new in them.</summary>
    public static IReadOnlyList<string> HeldOutSets { get; } = ["seen", "masked", "unseen"];

    /// <summary>The kinds of case in every held-out set.</summary>
    public static IReadOnlyList<string> Categories { get; } = ["one", "several", "parallel", "none"];

    private readonly Catalog _catalog = Catalog.Load();
    private readonly ValueSampler _values;
    private readonly Conversations _conversations;
    private readonly FunctionSpec[] _trained;
    private readonly FunctionSpec[] _unseen;

    /// <summary>Reads the catalogue.</summary>
    public SyntheticGenerator()
    {
        _values = new ValueSampler(_catalog.Pools);
        _conversations = new Conversations(_catalog, _values);
        _trained = [.. _catalog.Functions.Where(f => f.Domain.Split == DataSplit.Train)];
        _unseen = [.. _catalog.Functions.Where(f => f.Domain.Split == DataSplit.HeldOut)];
    }

    /// <summary>How many functions training draws from, variants and procedural ones not counted.</summary>
    public int TrainedFunctionCount => _trained.Length + _catalog.Common.Count;

    /// <summary>How many functions of held-out domains there are.</summary>
    public int UnseenFunctionCount => _unseen.Length;

    /// <summary>Adjacent training rows with the same tools.</summary>
    public int GroupSize { get; init; } = DefaultGroupSize;

    /// <summary>Share of training groups whose functions are made of meaningless words; null: 0.35 in stage 1, else 0.3.</summary>
    public double? ProceduralShare { get; init; }

    /// <summary>Share of training groups whose function and parameter names say nothing; null: 0.3 (0.25 of the procedural ones).</summary>
    public double? MaskedShare { get; init; }

    /// <summary>Share of functions that are drawn from the common ones (weather, e-mail, timers …).</summary>
    public double CommonShare { get; init; } = 0.2;

    /// <summary>Share of the groups of stage 3 without tools, answered in words.</summary>
    public double WordsShare { get; init; } = 0.08;

    /// <summary>Whether a text is kept for the held-out sets (values of open kinds are on one side only).</summary>
    public static bool IsHeldOutValue(string text) => RandomWords.SplitOf(text) == DataSplit.HeldOut;

    /// <summary>Training rows of a stage.</summary>
    /// <param name="stage">1: one or two tools; 2: up to four, parallel calls; 3: up to six, none-fits and follow-ups, talk without tools.</param>
    /// <param name="count">Rows; rounded up to whole groups.</param>
    /// <param name="seed">The same seed makes the same rows.</param>
    public IEnumerable<TrainingRow> Training(int stage, int count, ulong seed)
    {
        SeededRandom random = new(SeededRandom.Hash($"train/{stage}/{seed}"));
        for (int made = 0; made < count; made += GroupSize)
        {
            foreach (TrainingRow row in stage == 3 && random.Chance(WordsShare) ? Words(random) : Group(stage, random))
            {
                yield return row;
            }
        }
    }

    /// <summary>Held-out rows of one set and category.</summary>
    public IEnumerable<TrainingRow> HeldOut(string set, string category, int count, ulong seed)
    {
        SeededRandom random = new(SeededRandom.Hash($"heldout/{set}/{category}/{seed}"));
        for (int made = 0; made < count; made++)
        {
            int tools = category switch { "one" => 1, "several" => random.Between(2, 5), "parallel" => random.Between(1, 4), _ => random.Between(1, 4) };
            FunctionSpec[] specs = Choose(tools, set == "unseen" ? () => random.Pick(_unseen) : () => Trained(random), random);
            ToolForm[] forms = Forms(specs, random, _ => (false, set == "masked"), DataSplit.HeldOut);
            Func<FunctionSpec> other = set == "unseen" ? () => random.Pick(_unseen) : () => Trained(random);
            yield return Row(forms, category switch { "parallel" => "parallel", "none" => "none", _ => "single" }, other, random, DataSplit.HeldOut) with { Category = $"{set}-{category}" };
        }
    }

    private FunctionSpec Trained(SeededRandom random) => random.Chance(CommonShare) ? random.Pick(_catalog.Common) : random.Pick(_trained);

    private TrainingRow[] Group(int stage, SeededRandom random)
    {
        int tools = stage switch { 1 => random.Pick([1, 1, 2]), 2 => random.Between(1, 4), _ => random.Pick([1, 2, 2, 3, 3, 4, 4, 5, 6]) };
        bool procedural = random.Chance(ProceduralShare ?? (stage == 1 ? 0.35 : 0.3));
        FunctionSpec[] specs = Choose(tools, procedural ? () => ProceduralFunctions.Make(random, DataSplit.Train, stage == 1 ? 3 : 4) : () => Trained(random), random);
        bool masked = random.Chance(MaskedShare ?? (procedural ? 0.25 : 0.3));
        ToolForm[] forms = Forms(specs, random, spec => (!procedural && random.Chance(spec.Sentences.Length > 0 ? 0.6 : 0.3), masked), DataSplit.Train);
        Func<FunctionSpec> other = procedural && random.Chance(0.5) ? () => ProceduralFunctions.Make(random, DataSplit.Train, 3) : () => Trained(random);
        string? system = SystemText(random);
        TrainingRow[] rows = new TrainingRow[GroupSize];
        for (int i = 0; i < rows.Length; i++)
        {
            double kind = (random.Next() >> 11) * (1.0 / (1UL << 53));
            string mode = stage switch
            {
                1 => "single",
                2 => kind < 0.3 ? "parallel" : "single",
                _ => kind < 0.32 ? "parallel" : kind < 0.52 ? "none" : kind < 0.55 ? "finished" : kind < 0.58 ? "again" : "single",
            };
            rows[i] = Row(forms, mode, other, random, DataSplit.Train) with { System = system };
        }

        return rows;
    }

    /// <summary>A group without tools: small talk, requests that would need a tool, and results to be told.</summary>
    private TrainingRow[] Words(SeededRandom random)
    {
        string? system = SystemText(random);
        TrainingRow[] rows = new TrainingRow[GroupSize];
        for (int i = 0; i < rows.Length; i++)
        {
            FunctionSpec spec = random.Chance(0.25) ? ProceduralFunctions.Make(random, DataSplit.Train, 3) : Trained(random);
            ToolForm form = ToolForm.Of(spec, _values, random, variant: true, masked: random.Chance(0.2), DataSplit.Train);
            TrainingRow row = Row([form], random.Chance(0.2) ? "parallel" : "single", () => spec, random, DataSplit.Train);
            rows[i] = (random.Chance(0.6) ? _conversations.Told(row, random) : _conversations.WithoutTools(row, spec.Gist, random)) with { System = system };
        }

        return rows;
    }

    private string? SystemText(SeededRandom random) => random.Chance(0.15) ? random.Pick(_catalog.Systems) : null;

    private static FunctionSpec[] Choose(int count, Func<FunctionSpec> draw, SeededRandom random)
    {
        List<FunctionSpec> chosen = [];
        bool related = random.Chance(0.5);
        for (int tries = 0; chosen.Count < count; tries++)
        {
            FunctionSpec next = draw();
            bool wrongDomain = related && chosen.Count > 0 && tries < 300 && next.Domain.Key != chosen[0].Domain.Key && next.Domain.Verbs.Length > 0;
            if (!wrongDomain && !chosen.Exists(c => c.IsLike(next)))
            {
                chosen.Add(next);
            }
        }

        return random.Shuffled(chosen);
    }

    private ToolForm[] Forms(FunctionSpec[] specs, SeededRandom random, Func<FunctionSpec, (bool Variant, bool Masked)> how, DataSplit split)
    {
        List<ToolForm> forms = [];
        foreach (FunctionSpec spec in specs)
        {
            (bool variant, bool masked) = how(spec);
            ToolForm form = ToolForm.Of(spec, _values, random, variant, masked, split);
            while (forms.Exists(f => f.Tool.Name == form.Tool.Name))
            {
                form = ToolForm.Of(spec, _values, random, true, true, split);
            }

            forms.Add(form);
        }

        return [.. forms];
    }

    private TrainingRow Row(ToolForm[] forms, string mode, Func<FunctionSpec> other, SeededRandom random, DataSplit split)
    {
        if (mode == "none")
        {
            return None(forms, other, random, split);
        }

        List<CallDraft> calls = [];
        WrittenRequest request;
        if (mode == "parallel")
        {
            bool same = forms.Length == 1 || random.Chance(0.5);
            int count = random.Chance(0.88) ? 2 : 3;
            ToolForm[] used = same ? [.. Enumerable.Repeat(random.Pick(forms), count)] : random.Shuffled(forms)[..Math.Min(count, forms.Length)];
            foreach (ToolForm form in used)
            {
                CallDraft draft = CallDraft.Draw(form, _values, random, split, 0.35);
                for (int tries = 0; tries < 20 && calls.Exists(call => call.Call == draft.Call); tries++)
                {
                    draft = CallDraft.Draw(form, _values, random, split, 0.35);
                }

                if (!calls.Exists(call => call.Call == draft.Call))
                {
                    calls.Add(draft);
                }
            }

            if (calls.Count == 1)
            {
                request = RequestWriter.Whole(calls[0].Form.Spec, calls[0].Said, random);
            }
            else if (same && CallDraft.Spread(calls, random) is { } spread)
            {
                request = RequestWriter.Whole(used[0].Spec, spread, random);
            }
            else
            {
                request = RequestWriter.Joined([.. calls.Select(c => (c.Form.Spec, c.Said))], random);
            }
        }
        else
        {
            calls.Add(CallDraft.Draw(random.Pick(forms), _values, random, split, 0.5));
            request = RequestWriter.Whole(calls[0].Form.Spec, calls[0].Said, random);
        }

        SaidCall Said(int call) => request.Calls[Math.Min(call, request.Calls.Count - 1)];
        TrainingRow row = new()
        {
            Tools = [.. forms.Select(f => f.Tool)],
            Messages = [new ChatMessage { Role = ChatRole.User, Content = request.Text }],
            Answer = [.. calls.Select(call => call.Call)],
            Think = string.Join(' ', calls.Select((call, i) => call.Plan(Said(i)))),
        };
        return mode switch
        {
            "finished" => _conversations.Finished(row, random),
            "again" => _conversations.Again(row, Row(forms, "single", other, random, split), random),
            _ => row,
        };
    }

    private TrainingRow None(ToolForm[] forms, Func<FunctionSpec> other, SeededRandom random, DataSplit split)
    {
        string request = RequestWriter.Loosely(random.Pick(_catalog.SmallTalk).Said, random);
        SaidCall asked = new("small talk", []);
        if (random.Chance(0.9))
        {
            FunctionSpec wanted = other();
            for (int tries = 0; forms.Any(f => f.Spec.Object.Key == wanted.Object.Key) || (tries < 20 && forms.Any(f => f.Spec.Domain.Key == wanted.Domain.Key && tries % 4 != 3)); tries++)
            {
                wanted = other();
            }

            CallDraft draft = CallDraft.Draw(ToolForm.Of(wanted, _values, random, false, false, split), _values, random, split, 0.5);
            (request, IReadOnlyList<SaidCall> said) = RequestWriter.Whole(wanted, draft.Said, random);
            asked = said[0];
        }

        return new TrainingRow
        {
            Tools = [.. forms.Select(f => f.Tool)],
            Messages = [new ChatMessage { Role = ChatRole.User, Content = request }],
            Answer = [],
            Think = $"Asked: {asked.Summary}. {asked.Gist} fits nothing.",
        };
    }
}
