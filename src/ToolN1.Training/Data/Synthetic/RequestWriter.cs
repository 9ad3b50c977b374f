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
    public static WrittenRequest Whole(FunctionSpec spec, IReadOnlyList<Saying> said, SeededRandom random)
    {
        string thing = spec.Object.Key;
        string text;
        Phrase[] phrases = Phrases(said, random);
        string words = string.Join(' ', phrases.Select(phrase => phrase.Text));
        if (spec.Sentences.Length > 0 && random.Chance(0.4))
        {
            text = Fill(random.Pick(spec.Sentences), spec, words, random, ref thing);
        }
        else if (spec.Verb.Sentences.Length > 0 && random.Chance(0.35))
        {
            text = Fill(random.Pick(spec.Verb.Sentences), spec, words, random, ref thing);
        }
        else if (said.Count == 1 && random.Chance(0.1) && !words.StartsWith(',') && !words.StartsWith(':'))
        {
            text = string.Format(random.Pick(["{1}, {0}.", "{1}: {0}.", "{1}, please {0}."]), Action(spec, string.Empty, random, out thing), words);
        }
        else
        {
            text = string.Format(random.Pick(Frames), Action(spec, words, random, out thing));
        }

        return new WrittenRequest(Finish(text, random), [new SaidCall($"{spec.Verb.Key} {thing}", phrases)]);
    }

    /// <summary>Two or more calls in one request.</summary>
    public static WrittenRequest Joined(IReadOnlyList<(FunctionSpec Spec, IReadOnlyList<Saying> Said)> calls, SeededRandom random)
    {
        SaidCall[] said = new SaidCall[calls.Count];
        string[] actions = new string[calls.Count];
        for (int i = 0; i < actions.Length; i++)
        {
            Phrase[] phrases = Phrases(calls[i].Said, random);
            actions[i] = Action(calls[i].Spec, string.Join(' ', phrases.Select(phrase => phrase.Text)), random, out string thing);
            said[i] = new SaidCall($"{calls[i].Spec.Verb.Key} {thing}", phrases);
        }

        if (random.Chance(0.4))
        {
            StringBuilder sentences = new(Finish(string.Format(random.Pick(Frames), actions[0]), random));
            foreach (string action in actions.Skip(1))
            {
                sentences.Append(' ').Append(Finish(string.Format(random.Pick(["Also {0}.", "Then {0}.", "And {0}.", "After that {0}.", "Also, can you {0}?", "{0} too."]), action), random));
            }

            return new WrittenRequest(sentences.ToString(), said);
        }

        string joiner = random.Pick([" and ", " and then ", ", and ", " and also ", ", then "]);
        string body = actions.Length == 2 ? actions[0] + joiner + actions[1] : string.Join(", ", actions.Take(actions.Length - 1)) + joiner + actions[^1];
        return new WrittenRequest(Finish(string.Format(random.Pick(Frames), body), random), said);
    }

    /// <summary>A sentence as people type it: with its mark or without, now and then in small letters.</summary>
    public static string Loosely(string sentence, SeededRandom random)
    {
        bool asks = sentence.StartsWith("Wh", StringComparison.Ordinal) || sentence.StartsWith("How", StringComparison.Ordinal) || sentence.StartsWith("Do ", StringComparison.Ordinal);
        string text = sentence + random.Pick<string>(asks ? ["?", "?", "?", ""] : [".", ".", "!", ""]);
        return random.Chance(0.2) ? text.ToLowerInvariant() : text;
    }

    private static string Action(FunctionSpec spec, string words, SeededRandom random, out string thing)
    {
        thing = random.PickMostly(spec.Object.Words, 0.5);
        string named = spec.Verb.Article switch
        {
            "a" => (random.Chance(0.85) ? ToolForm.An(thing) : "the") + " " + thing,
            "all" => "all " + ToolForm.Plural(thing),
            _ => (random.Chance(0.85) ? "the " : string.Empty) + thing,
        };
        return $"{random.PickMostly(spec.Verb.Requests, 0.35)} {named} {words}".TrimEnd();
    }

    private static string Fill(string sentence, FunctionSpec spec, string words, SeededRandom random, ref string thing)
    {
        string drawn = random.PickMostly(spec.Object.Words, 0.5);
        string filled = sentence.Replace("{o}", drawn, StringComparison.Ordinal).Replace("{s}", ToolForm.Plural(drawn), StringComparison.Ordinal)
            .Replace("{a}", ToolForm.An(drawn) + " " + drawn, StringComparison.Ordinal);
        thing = filled == sentence ? thing : drawn;
        return filled.Replace("{f}", words, StringComparison.Ordinal);
    }

    private static Phrase[] Phrases(IReadOnlyList<Saying> said, SeededRandom random)
    {
        List<Phrase> plain = [];
        List<Phrase> last = [];
        foreach (Saying saying in random.Chance(0.5) ? said : random.Shuffled(said))
        {
            string phrase;
            string name = saying.Role.Names[0];
            if (saying.Role.Type == "boolean")
            {
                phrase = random.Pick([.. saying.Role.Phrases.Where(p => p[0] == saying.Spoken[0])])[2..];
            }
            else
            {
                string template = random.Chance(0.12) && name.Length > 2 && !name.Any(char.IsDigit)
                    ? random.Pick(["with {n} {v}", "with {v} as the {n}", "where the {n} is {v}", ", {n} {v}"]).Replace("{n}", name.Replace('_', ' '), StringComparison.Ordinal)
                    : random.PickMostly(saying.Role.Phrases, 0.4);
                phrase = template.Replace("{v}", saying.Spoken, StringComparison.Ordinal);
            }

            (phrase[0] is ',' or ':' ? last : plain).Add(new Phrase(saying.Parameter, phrase));
        }

        return [.. plain, .. last.OrderBy(phrase => phrase.Text[0] == ':')];
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
