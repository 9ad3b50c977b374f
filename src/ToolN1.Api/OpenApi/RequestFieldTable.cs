using System.Globalization;
using System.Text;
using ToolN1.Api.Shapes;

namespace ToolN1.Api.OpenApi;

/// <summary>Every field of every request in one page, made from the shapes that bind them (docs/request-fields.md).</summary>
internal static class RequestFieldTable
{
    /// <summary>The page.</summary>
    /// <param name="requests">Verbs with their routes and what they take, in the order of the page.</param>
    public static string Markdown(IEnumerable<(string Route, ObjectShape Shape)> requests)
    {
        StringBuilder page = new(
            """
            # Request fields

            Every field that a request may have, and what becomes of it. This page is made from the code that binds requests;
            `RequestFieldTests` fails when it is stale and writes it anew with `TOOLN1_WRITE_DOCS=1`.

            - **honoured**: it does what it says.
            - **no effect**: accepted; what is accepted is what the server does anyway, or is for the caller's own bookkeeping.
            - **refused**: OpenAI's API has it, this server answers 400 `unsupported_parameter` and names it.

            A field that is in no table is a 400 `unknown_parameter`. A value of the wrong type or out of range is a 400 whose `param`
            is its path, such as `messages[2].content`. Null counts as absent everywhere.

            """);
        HashSet<string> written = [];
        foreach ((string route, ObjectShape shape) in requests)
        {
            page.Append(CultureInfo.InvariantCulture, $"\n## {route}\n");
            foreach (ObjectShape part in Objects(shape).Where(part => written.Add(part.Name)))
            {
                Add(page, part);
            }
        }

        return page.ToString();
    }

    /// <summary>The object shapes that a shape is made of, itself first, each once.</summary>
    private static IEnumerable<ObjectShape> Objects(Shape shape)
    {
        Queue<Shape> queue = new([shape]);
        HashSet<Shape> seen = [shape];
        while (queue.TryDequeue(out Shape? next))
        {
            if (next is ObjectShape known)
            {
                yield return known;
            }

            foreach (Shape part in next.Parts.Where(seen.Add))
            {
                queue.Enqueue(part);
            }
        }
    }

    private static void Add(StringBuilder page, ObjectShape shape)
    {
        page.Append(CultureInfo.InvariantCulture, $"\n### {shape.Name}\n\n{shape.Description}\n\n");
        page.Append("| Field | Status | Takes | Default | Meaning |\n|---|---|---|---|---|\n");
        foreach (Field field in shape.Fields)
        {
            string status = field.Effect == FieldEffect.None ? "no effect" : "honoured";
            string absent = field.Required ? "required" : field.Default is null ? "" : $"`{field.Default.ToJsonString()}`";
            page.Append(CultureInfo.InvariantCulture, $"| `{field.Name}` | {status} | {Cell(field.Shape.Range)} | {absent} | {Cell(field.Description + Refused(field.Shape))} |\n");
        }

        foreach ((string name, string reason) in shape.Refused.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            page.Append(CultureInfo.InvariantCulture, $"| `{name}` | refused | | | {Cell(reason)} |\n");
        }
    }

    /// <summary>Kinds of objects that are refused within a field, such as images in a message.</summary>
    private static string Refused(Shape shape)
    {
        string[] kinds = [.. Tagged(shape).SelectMany(tagged => tagged.Refused.Keys).Distinct().Order(StringComparer.Ordinal)];
        return kinds.Length == 0 ? "" : " Refused kinds: " + string.Join(", ", kinds.Select(kind => $"`{kind}`")) + ".";
    }

    private static IEnumerable<TaggedShape> Tagged(Shape shape) => shape switch
    {
        TaggedShape tagged => [tagged],
        ObjectShape => [],
        _ => shape.Parts.SelectMany(Tagged),
    };

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).Replace('\n', ' ');
}
