using System.Text;

namespace ToolN1.Training.Data.Synthetic;

/// <summary>Puts a call into a person's words.</summary>
internal static class RequestWriter
{
    private static readonly string[] Frames =
    [
        "{0}.", "{0}.", "Please {0}.", "Can you {0}?", "Could you {0}?", "Could you please {0}?", "I want you to {0}.", "I need to {0}.",
        "I would like to {0}.", "Would you {0}?", "Help me {0}.", "{0}, please.", "Hey, {0}.", "Hi, can you {0}?", "Now {0}.",
        "It would be great if you could {0}.", "I have to {0}.", "I'd like you to {0}.", "You should {0}.", "Kindly {0}.", "{0} for me.",
        "My boss asked me to {0}.", "Is it possible to {0}?", "We have to {0} today.",
    ];

    /// <summary>A whole request for one call.</summary>
    public static string Whole(FunctionSpec spec, IReadOnlyList<(ParameterUse Use, string Name, string Spoken)> said, SeededRandom random)
    {
        string text;
        string words = Phrases(said, random);
        if (spec.Sentences.Length > 0 && random.Chance(0.4))
        {
            text = Fill(random.Pick(spec.Sentences), spec, words, random);
        }
        else if (spec.Verb.Sentences.Length > 0 && random.Chance(0.35))
        {
            text = Fill(random.Pick(spec.Verb.Sentences), spec, words, random);
        }
        else if (said.Count == 1 && random.Chance(0.1) && !words.StartsWith(',') && !words.StartsWith(':'))
        {
            text = string.Format(random.Pick(["{1}, {0}.", "{1}: {0}.", "{1}, please {0}."]), Action(spec, string.Empty, random), words);
        }
        else
        {
            text = string.Format(random.Pick(Frames), Action(spec, words, random));
        }

        return Finish(text, random);
    }

    /// <summary>Two or more calls in one request.</summary>
    public static string Joined(IReadOnlyList<(FunctionSpec Spec, IReadOnlyList<(ParameterUse Use, string Name, string Spoken)> Said)> calls, SeededRandom random)
    {
        string[] actions = [.. calls.Select(call => Action(call.Spec, Phrases(call.Said, random), random))];
        if (random.Chance(0.4))
        {
            StringBuilder sentences = new(Finish(string.Format(random.Pick(Frames), actions[0]), random));
            foreach (string action in actions.Skip(1))
            {
                sentences.Append(' ').Append(Finish(string.Format(random.Pick(["Also {0}.", "Then {0}.", "And {0}.", "After that {0}.", "Also, can you {0}?", "{0} too."]), action), random));
            }

            return sentences.ToString();
        }

        string joiner = random.Pick([" and ", " and then ", ", and ", " and also ", ", then "]);
        string body = actions.Length == 2 ? actions[0] + joiner + actions[1] : string.Join(", ", actions.Take(actions.Length - 1)) + joiner + actions[^1];
        return Finish(string.Format(random.Pick(Frames), body), random);
    }

    /// <summary>A sentence as people type it: with its mark or without, now and then in small letters.</summary>
    public static string Loosely(string sentence, SeededRandom random)
    {
        bool asks = sentence.StartsWith("Wh", StringComparison.Ordinal) || sentence.StartsWith("How", StringComparison.Ordinal) || sentence.StartsWith("Do ", StringComparison.Ordinal);
        string text = sentence + random.Pick<string>(asks ? ["?", "?", "?", ""] : [".", ".", "!", ""]);
        return random.Chance(0.2) ? text.ToLowerInvariant() : text;
    }

    private static string Action(FunctionSpec spec, string words, SeededRandom random)
    {
        string thing = random.PickMostly(spec.Object.Words, 0.5);
        string named = spec.Verb.Article switch
        {
            "a" => (random.Chance(0.85) ? ToolForm.An(thing) : "the") + " " + thing,
            "all" => "all " + ToolForm.Plural(thing),
            _ => (random.Chance(0.85) ? "the " : string.Empty) + thing,
        };
        return $"{random.PickMostly(spec.Verb.Requests, 0.35)} {named} {words}".TrimEnd();
    }

    private static string Fill(string sentence, FunctionSpec spec, string words, SeededRandom random)
    {
        string thing = random.PickMostly(spec.Object.Words, 0.5);
        return sentence.Replace("{o}", thing, StringComparison.Ordinal).Replace("{s}", ToolForm.Plural(thing), StringComparison.Ordinal)
            .Replace("{a}", ToolForm.An(thing) + " " + thing, StringComparison.Ordinal).Replace("{f}", words, StringComparison.Ordinal);
    }

    private static string Phrases(IReadOnlyList<(ParameterUse Use, string Name, string Spoken)> said, SeededRandom random)
    {
        List<string> plain = [];
        List<string> last = [];
        foreach ((ParameterUse use, string name, string spoken) in random.Chance(0.5) ? said : random.Shuffled(said))
        {
            string phrase;
            if (use.Role.Type == "boolean")
            {
                phrase = random.Pick([.. use.Role.Phrases.Where(p => p[0] == spoken[0])])[2..];
            }
            else
            {
                string template = random.Chance(0.12) && name.Length > 2 && !name.Any(char.IsDigit)
                    ? random.Pick(["with {n} {v}", "with {v} as the {n}", "where the {n} is {v}", ", {n} {v}"]).Replace("{n}", name.Replace('_', ' '), StringComparison.Ordinal)
                    : random.PickMostly(use.Role.Phrases, 0.4);
                phrase = template.Replace("{v}", spoken, StringComparison.Ordinal);
            }

            (phrase[0] is ',' or ':' ? last : plain).Add(phrase);
        }

        return string.Join(' ', plain.Concat(last.OrderBy(p => p[0] == ':')));
    }

    private static string Finish(string text, SeededRandom random)
    {
        StringBuilder clean = new();
        foreach (char c in text)
        {
            bool closes = c is '.' or ',' or '?' or ':';
            if (closes && clean.Length > 0 && clean[^1] == ' ')
            {
                clean.Length--;
            }

            if (!(c == ' ' && clean.Length > 0 && clean[^1] == ' '))
            {
                clean.Append(c);
            }
        }

        string result = clean.ToString().Trim();
        if (random.Chance(0.93))
        {
            result = char.ToUpperInvariant(result[0]) + result[1..];
        }

        return random.Chance(0.08) ? result.TrimEnd('.', '?') : result;
    }
}
