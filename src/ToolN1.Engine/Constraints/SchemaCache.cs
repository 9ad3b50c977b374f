using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using ToolN1.Engine.Constraints.Automata;
using ToolN1.Engine.Constraints.Schemas;

namespace ToolN1.Engine.Constraints;

/// <summary>Compiled schemas by their canonical text, least recently used out first beyond a number of bytes. Thread-safe.</summary>
internal sealed class SchemaCache(long maxBytes)
{
    private const int MaxDepth = 1000;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, LinkedListNode<(string Key, Rule Rule, long Bytes)>> _entries = [];
    private readonly LinkedList<(string Key, Rule Rule, long Bytes)> _order = new();
    private long _bytes;

    /// <summary>Memory in use, about.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Finds a rule or compiles it; two threads may compile the same schema at once.</summary>
    public Rule GetOrAdd(string schemaJson, bool onlyObjects, JsonStyle style, Func<Rule> compile)
    {
        string key = $"{Canonical(schemaJson)} {onlyObjects} {ReferenceEquals(style, JsonStyle.Spaced)}";
        lock (_lock)
        {
            if (_entries.TryGetValue(key, out LinkedListNode<(string Key, Rule Rule, long Bytes)>? known))
            {
                _order.Remove(known);
                _order.AddFirst(known);
                return known.Value.Rule;
            }
        }

        Rule rule = compile();
        long bytes = Measure(rule);
        lock (_lock)
        {
            if (bytes <= maxBytes && !_entries.ContainsKey(key))
            {
                _entries.Add(key, _order.AddFirst((key, rule, bytes)));
                _bytes += bytes;
                while (_bytes > maxBytes)
                {
                    LinkedListNode<(string Key, Rule Rule, long Bytes)> oldest = _order.Last!;
                    _order.RemoveLast();
                    _entries.Remove(oldest.Value.Key);
                    _bytes -= oldest.Value.Bytes;
                }
            }
        }

        return rule;
    }

    private static long Measure(Rule root)
    {
        HashSet<Rule> seen = [root];
        Queue<Rule> queue = new(seen);
        long bytes = 0;
        while (queue.TryDequeue(out Rule? rule))
        {
            // A state costs its transitions: about 40 classes of bytes in a table, a few edges in a tree.
            bytes += 200 + (rule.StoredStates * (rule is TableRule ? 160L : 60L));
            foreach (Rule callee in rule.Callees)
            {
                if (seen.Add(callee))
                {
                    queue.Enqueue(callee);
                }
            }
        }

        return bytes;
    }

    /// <summary>
    /// A hash of the schema without white space and without what only describes; the latter stays where the schema has
    /// references, which may lead there. Malformed text is its own name (compiling will refuse it).
    /// </summary>
    private static string Canonical(string json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MaxDepth });
            bool keepsAll = HasReference(document.RootElement);
            ArrayBufferWriter<byte> buffer = new();
            using (Utf8JsonWriter writer = new(buffer, new JsonWriterOptions { MaxDepth = MaxDepth }))
            {
                Write(writer, document.RootElement, Place.Schema, keepsAll);
            }

            return Convert.ToHexString(SHA256.HashData(buffer.WrittenSpan));
        }
        catch (JsonException)
        {
            return json;
        }
    }

    private static bool HasReference(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().Any(member => member.NameEquals("$ref"u8) || HasReference(member.Value)),
        JsonValueKind.Array => element.EnumerateArray().Any(HasReference),
        _ => false,
    };

    private enum Place
    {
        /// <summary>A schema: its members are keywords.</summary>
        Schema,

        /// <summary>Schemas by names that are not keywords, or in a list.</summary>
        Schemas,

        /// <summary>A value, as it is.</summary>
        Value,
    }

    private static void Write(Utf8JsonWriter writer, JsonElement element, Place place, bool keepsAll)
    {
        if (place == Place.Value || element.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array))
        {
            element.WriteTo(writer);
            return;
        }

        if (element.ValueKind == JsonValueKind.Array)
        {
            writer.WriteStartArray();
            foreach (JsonElement item in element.EnumerateArray())
            {
                Write(writer, item, Place.Schema, keepsAll);
            }

            writer.WriteEndArray();
            return;
        }

        writer.WriteStartObject();
        foreach (JsonProperty member in element.EnumerateObject())
        {
            if (place == Place.Schema && !keepsAll && SchemaKeywords.Describes(member.Name))
            {
                continue;
            }

            writer.WritePropertyName(member.Name);
            Write(writer, member.Value, place == Place.Schemas ? Place.Schema : member.Name switch
            {
                "properties" or "patternProperties" or "$defs" or "definitions" or "anyOf" or "oneOf" or "allOf" or "prefixItems" => Place.Schemas,
                "items" or "additionalProperties" => Place.Schema,
                _ => Place.Value,
            }, keepsAll);
        }

        writer.WriteEndObject();
    }
}
