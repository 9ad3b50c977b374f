using Microsoft.Extensions.Options;
using ToolN1.Training.Captures.Redaction;
using ToolN1.Training.Jobs.Hosting;

namespace ToolN1.Training.Captures;

/// <summary>Whether requests and their answers are kept for review, and how many; section <c>ToolN1:Captures</c>.</summary>
public sealed class CaptureOptions
{
    /// <summary>The section's name.</summary>
    public const string SectionName = "ToolN1:Captures";

    /// <summary>Whether they are kept at all.</summary>
    public bool Enabled { get; set; }

    /// <summary>Most captures kept; beyond, the oldest go, those that nobody reviewed or that were rejected first.</summary>
    public int MaxRows { get; set; } = 10_000;

    /// <summary>Days after which a capture goes, reviewed or not.</summary>
    public int MaxAgeDays { get; set; } = 30;

    /// <summary>Captures in memory that wait to be redacted and written; what comes while it is full is dropped and counted.</summary>
    public int QueueLength { get; set; } = 256;

    /// <summary>Characters of conversation, tools and answer; what has more is dropped and counted.</summary>
    public int MaxCharacters { get; set; } = 1 << 18;

    /// <summary>What is taken out before anything is written.</summary>
    public RedactionOptions Redaction { get; set; } = new();
}

/// <summary>What is taken out of captures; section <c>ToolN1:Captures:Redaction</c>.</summary>
public sealed class RedactionOptions
{
    /// <summary>E-mail addresses.</summary>
    public bool Emails { get; set; } = true;

    /// <summary>Phone numbers.</summary>
    public bool PhoneNumbers { get; set; } = true;

    /// <summary>Numbers of payment cards, told by their check digit.</summary>
    public bool CardNumbers { get; set; } = true;

    /// <summary>API keys, tokens, private keys, and what is said to be a password.</summary>
    public bool Keys { get; set; } = true;

    /// <summary>More, looked for before the built-in ones, in this order.</summary>
    public IReadOnlyList<RedactionRuleOptions> Rules { get; set; } = [];
}

/// <summary>A rule of one's own.</summary>
public sealed class RedactionRuleOptions
{
    /// <summary>Lower-case letters, digits and hyphens; counts are kept by it.</summary>
    public string Name { get; set; } = "";

    /// <summary>
    /// A regular expression of .NET's, matched in time linear to the text (so without look-around and back-references). Where
    /// it has a group <c>value</c>, that is what is taken out, else the whole match.
    /// </summary>
    public string Pattern { get; set; } = "";

    /// <summary>What stands in its place; <c>{n}</c> is the same number for the same value within a capture. Absent: <c>[NAME-{n}]</c>.</summary>
    public string? Replacement { get; set; }
}

/// <summary>Checks of <see cref="CaptureOptions"/>.</summary>
internal sealed class CaptureOptionsValidator(TrainingSwitch isTrainingOn) : IValidateOptions<CaptureOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, CaptureOptions options)
    {
        if (options.Enabled && !isTrainingOn.IsOn)
        {
            return ValidateOptionsResult.Fail("ToolN1:Captures:Enabled needs an admin key (ToolN1:Auth:AdminKeys): without one nobody could review or delete what is kept.");
        }

        foreach ((string option, int value, int most) in new[]
        {
            (nameof(options.MaxRows), options.MaxRows, 10_000_000),
            (nameof(options.MaxAgeDays), options.MaxAgeDays, 3650),
            (nameof(options.QueueLength), options.QueueLength, 100_000),
            (nameof(options.MaxCharacters), options.MaxCharacters, 64 << 20),
        })
        {
            if (value < 1 || value > most)
            {
                return ValidateOptionsResult.Fail($"{CaptureOptions.SectionName}:{option} must be between 1 and {most}.");
            }
        }

        try
        {
            _ = new Redactor(options.Redaction);
            return ValidateOptionsResult.Success;
        }
        catch (FormatException error)
        {
            return ValidateOptionsResult.Fail(error.Message);
        }
    }
}
