namespace ToolN1.Training.Captures.Redaction;

/// <summary>
/// The built-in rules. They look for what can be told by its form; names, addresses and numbers without a form need rules of
/// one's own.
/// </summary>
internal static class KnownRules
{
    private const string Email = @"[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+";

    // International with its plus or 00; national in groups that begin with 0, or as (nnn) nnn-nnnn. Digits in one piece
    // without a plus may be any number and are left. Dates have eight digits.
    private const string Phone =
        @"\+\d[\d ().\-]{6,20}\d|\b00\d[\d \-]{8,18}\d\b|\b0\d{1,4}[ /]\d[\d \-]{3,14}\d\b|\b0\d{2,4}-\d{5,9}\b|(?:\(\d{3}\) ?|\b\d{3}[ .\-])\d{3}[ .\-]\d{4}\b";

    private const int ShortestCard = 13;
    private const string Card = @"\b\d(?:[ \-]?\d){12,18}\b";

    // What announces itself: prefixes that providers document, JSON web tokens, PEM blocks.
    private const string Key =
        @"\bsk-[A-Za-z0-9_\-]{16,}|\b(?:sk|pk|rk|whsec)_(?:live_|test_)?[A-Za-z0-9]{16,}|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}|\bglpat-[A-Za-z0-9_\-]{16,}"
            + @"|\bxox[a-z]-[A-Za-z0-9\-]{10,}|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[A-Za-z0-9_\-]{30,}|\bhf_[A-Za-z0-9]{20,}|\bnpm_[A-Za-z0-9]{30,}"
            + @"|\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----"
            + @"|(?i:\bbearer\s+)(?<value>[A-Za-z0-9._~+/=\-]{16,})";

    private const string Named =
        @"(?i:\b(?:api[_ \-]?key|access[_ \-]?key|auth[_ \-]?token|access[_ \-]?token|token|secret|client[_ \-]?secret|password|passwd|pwd|passphrase)\b)[""']?\s*(?:[:=]|(?i:is)\b)\s*[""']?(?<value>[^\s""',;]{6,})";

    /// <summary>Those that are on.</summary>
    public static IEnumerable<RedactionRule> Of(RedactionOptions options)
    {
        if (options.Keys)
        {
            yield return Rule("key", Key);
            // "The password is wrong" holds none: what is one has a digit in it.
            yield return Rule("key", Named, Whole(value => value.Any(char.IsAsciiDigit)));
        }

        if (options.Emails)
        {
            yield return Rule("email", Email);
        }

        if (options.CardNumbers)
        {
            yield return Rule("card", Card, CardLength);
        }

        if (options.PhoneNumbers)
        {
            yield return Rule("phone", Phone, Whole(value => value.Count(char.IsAsciiDigit) is >= 9 and <= 17));
        }
    }

    /// <summary>
    /// The longest beginning with a right check digit that has enough digits and ends where a group of them does: behind the
    /// number an expiry date may stand, which looks like its last group.
    /// </summary>
    private static int CardLength(string text)
    {
        for (int end = text.Length; end > 0 && Digits(text.AsSpan(0, end)) >= ShortestCard; end = text.LastIndexOfAny([' ', '-'], end - 1))
        {
            if (HasCheckDigit(text.AsSpan(0, end)))
            {
                return end;
            }
        }

        return 0;
    }

    /// <summary>Luhn's check, which numbers of payment cards pass and one in ten of others.</summary>
    private static bool HasCheckDigit(ReadOnlySpan<char> text)
    {
        int sum = 0;
        int place = 0;
        for (int i = text.Length - 1; i >= 0; i--)
        {
            if (char.IsAsciiDigit(text[i]))
            {
                int digit = (text[i] - '0') * (place++ % 2 == 1 ? 2 : 1);
                sum += digit > 9 ? digit - 9 : digit;
            }
        }

        return sum > 0 && sum % 10 == 0;
    }

    private static int Digits(ReadOnlySpan<char> text)
    {
        int count = 0;
        foreach (char character in text)
        {
            count += char.IsAsciiDigit(character) ? 1 : 0;
        }

        return count;
    }

    private static Func<string, int> Whole(Func<string, bool> accepts) => value => accepts(value) ? value.Length : 0;

    private static RedactionRule Rule(string name, string pattern, Func<string, int>? accepted = null) =>
        new(name, RedactionRule.Linear(pattern), $"[{name}-{{n}}]", accepted);
}
