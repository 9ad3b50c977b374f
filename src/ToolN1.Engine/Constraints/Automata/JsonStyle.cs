namespace ToolN1.Engine.Constraints.Automata;

/// <summary>Where white space may stand in generated JSON. Null: none there.</summary>
internal sealed class JsonStyle
{
    private JsonStyle(Rule? afterOpen, Rule? afterColon, Rule? afterComma, Rule? beforeClose)
    {
        AfterOpen = afterOpen;
        AfterColon = afterColon;
        AfterComma = afterComma;
        BeforeClose = beforeClose;
        Any = BuildAny(out Rule anyObject);
        AnyObject = anyObject;
    }

    /// <summary>Exactly Python's json.dumps, which Tool-N1 and Qwen write; keys and punctuation are then forced.</summary>
    public static JsonStyle Spaced { get; } = new(null, new LiteralSetRule(" "), new LiteralSetRule(" "), null);

    /// <summary>Compact, spaced or indented: at each place nothing, a space, or a line feed and an indentation.</summary>
    public static JsonStyle Flexible { get; } = CreateFlexible();

    /// <summary>After <c>{</c> or <c>[</c>, when something follows.</summary>
    public Rule? AfterOpen { get; }

    /// <summary>After a colon.</summary>
    public Rule? AfterColon { get; }

    /// <summary>After a comma.</summary>
    public Rule? AfterComma { get; }

    /// <summary>After a value within an object or array.</summary>
    public Rule? BeforeClose { get; }

    /// <summary>Any JSON value.</summary>
    public Rule Any { get; }

    /// <summary>Any JSON object.</summary>
    public Rule AnyObject { get; }

    private static JsonStyle CreateFlexible()
    {
        const int Spaces = 40;
        const int Tabs = 10;
        List<int[]> rows = [];
        for (int i = 0; i < 3 + Spaces + Tabs; i++)
        {
            int[] row = new int[256];
            Array.Fill(row, -1);
            rows.Add(row);
        }

        // 0 nothing yet, 1 a space, 2 a line feed, then spaces, then tabs.
        rows[0][' '] = 1;
        rows[0]['\n'] = 2;
        rows[2][' '] = 3;
        rows[2]['\t'] = 3 + Spaces;
        for (int i = 0; i + 1 < Spaces; i++)
        {
            rows[3 + i][' '] = 4 + i;
        }

        for (int i = 0; i + 1 < Tabs; i++)
        {
            rows[3 + Spaces + i]['\t'] = 4 + Spaces + i;
        }

        TableRule space = TableRule.Create(rows, [.. rows.Select(_ => true)]);
        return new JsonStyle(space, space, space, space);
    }

    private UnionRule BuildAny(out Rule anyObject)
    {
        UnionRule any = new();
        anyObject = new ObjectRule(this, [], [(new KeyRule([]), any)], 0, int.MaxValue);
        ArrayRule array = new(this, [], any, 0, int.MaxValue);
        LiteralSetRule words = new([.. "true false null".Split(' ').Select(System.Text.Encoding.UTF8.GetBytes)]);
        any.Set([CountedStringRule.Any, NumberRules.AnyNumber, words, anyObject, array]);
        foreach (Rule rule in new[] { anyObject, array, any })
        {
            rule.UpdateMinima();
        }

        return any;
    }
}
