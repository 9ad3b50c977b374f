using System.Text.Json.Nodes;
using ToolN1.Api.Shapes;
using ToolN1.Training.Graders;

namespace ToolN1.Api.Contracts;

/// <summary>What /v1/fine_tuning/alpha/graders/run and …/validate take (OpenAI's shapes, and our <c>tool_call</c>).</summary>
internal static class GraderShapes
{
    private const string Templates = "Templates such as `{{item.answer}}` and `{{sample.output_text}}` are filled in.";

    private static readonly Field Name = new("name", new StringShape { MinLength = 1, MaxLength = 256 }, "The grader's name.") { Required = true };
    private static readonly Field Input = new("input", new StringShape(), "The graded text. " + Templates) { Required = true };
    private static readonly Field Reference = new("reference", new StringShape(), "What it should be. " + Templates) { Required = true };

    private static readonly Dictionary<string, ObjectShape> Simple = new()
    {
        ["tool_call"] = new ObjectShape(
            "ToolCallGrader",
            "Tool-N1's binary reward: 1 where the text thinks aloud and its last block holds exactly the reference's calls.",
            [
                Type("tool_call"),
                Name,
                Input with { Required = false, Default = JsonValue.Create("{{sample.output_text}}") },
                Reference with { Description = "The true calls as a JSON list of `{name, arguments}`, usually `{{item.…}}`." },
                new("numbers", new StringShape { Values = ["strict", "lenient"] }, "`strict`: 1 and 1.0 differ, as in the paper; `lenient`: they do not.") { Default = JsonValue.Create("strict") },
            ]),
        ["string_check"] = new ObjectShape(
            "StringCheckGrader",
            "Compares two texts: 1 or 0.",
            [
                Type("string_check"),
                Name,
                Input,
                Reference,
                new("operation", new StringShape { Values = GraderReader.Operations }, "`eq`, `ne`; `like`: the input contains the reference; `ilike`: whatever the case.") { Required = true },
            ]),
        ["text_similarity"] = new ObjectShape(
            "TextSimilarityGrader",
            "How alike two texts are, from 0 to 1.",
            [
                Type("text_similarity"),
                Name,
                Input,
                Reference,
                new(
                    "evaluation_metric",
                    new StringShape { Values = GraderReader.Metrics, Refused = GraderReader.RefusedMetrics },
                    "`fuzzy_match`: rapidfuzz's ratio; `bleu`, `gleu`: NLTK's for one sentence, words between white space (`bleu` with smoothing method 4); `rouge_…`: F1 of Google's rouge_score without stemming. "
                        + "`cosine` and `meteor` are refused: they need a model or a dictionary that is not here.") { Required = true },
            ]),
    };

    /// <summary>A grader that a request must have.</summary>
    public static Field Grader { get; } = new(
        "grader",
        new TaggedShape("type", new Dictionary<string, ObjectShape>(Simple)
        {
            ["multi"] = new ObjectShape(
                "MultiGrader",
                "A formula over the rewards of several graders.",
                [
                    Type("multi"),
                    Name,
                    new("graders", new MapShape(new TaggedShape("type", Simple) { Refused = GraderReader.RefusedTypes }, maxEntries: 16, maxKeyLength: 64), "The graders by the names that the formula calls them.") { Required = true },
                    new(
                        "calculate_output",
                        new StringShape { MinLength = 1, MaxLength = 4096 },
                        "The formula: numbers, the graders' names, `+ - * / ^`, brackets, and min, max, abs, floor, ceil, exp, sqrt, log.") { Required = true },
                ]),
        })
        { Refused = GraderReader.RefusedTypes },
        "The grader.")
    { Required = true };

    /// <summary>POST …/run.</summary>
    public static ObjectShape Run { get; } = new(
        "RunGraderRequest",
        "A grader and the sample that it is to score.",
        [
            Grader,
            new("model_sample", new StringShape(), "The model's output, tags included: `sample.output_text` of templates; `sample.output_tools` are its calls, `sample.output_json` its JSON.") { Required = true },
            new("item", new AnyObjectShape(), "The item of data: `item` of templates."),
        ]);

    /// <summary>POST …/validate.</summary>
    public static ObjectShape Validate { get; } = new("ValidateGraderRequest", "A grader to check.", [Grader]);

    private static Field Type(string type) => new("type", new StringShape { Values = [type] }, $"Always `{type}`.") { Required = true };
}
