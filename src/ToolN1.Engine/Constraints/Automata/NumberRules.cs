using System.Numerics;

namespace ToolN1.Engine.Constraints.Automata;

/// <summary>
/// Automata of JSON numbers. Lengths are bounded, so that no number grows without end: 18 digits before the point (more
/// where a bound has more), 20 after it, two in an exponent; an exponent only where nothing bounds the value.
/// </summary>
internal static class NumberRules
{
    /// <summary>Digits before the point where no bound says otherwise.</summary>
    public const int IntegerDigits = 18;

    /// <summary>Digits after the point.</summary>
    public const int FractionDigits = 20;

    /// <summary>Largest divisor.</summary>
    public const int MaxDivisor = 1000;

    private static readonly NumberBounds UnboundedInteger = new(null, false, null, false, 0, 1);

    /// <summary>Any integer, written without point or exponent.</summary>
    public static TableRule AnyInteger { get; } = BuildTable(UnboundedInteger);

    /// <summary>Any number.</summary>
    public static TableRule AnyNumber { get; } = BuildNumber();

    /// <summary>The numbers within bounds. Empty when there are none.</summary>
    public static TableRule Build(NumberBounds bounds) => bounds == UnboundedInteger ? AnyInteger : BuildTable(bounds);

    private static TableRule BuildTable(NumberBounds bounds)
    {
        // 1. The two signs: what follows the minus is a magnitude between the mirrored bounds. There is no -0.
        DecimalNumber zero = new(BigInteger.Zero, 0);
        Magnitude? positive = bounds.High is { } high && high.CompareTo(zero) < 0
            ? null
            : new Magnitude(
                bounds.Low is { } low && low.CompareTo(zero) > 0 ? low : zero,
                bounds.Low is { } low2 && low2.CompareTo(zero) >= 0 && bounds.LowExclusive,
                bounds.High, bounds.HighExclusive, bounds);
        Magnitude? negative = bounds.Low is { } low3 && low3.CompareTo(zero) >= 0
            ? null
            : new Magnitude(
                bounds.High is { } high2 && high2.CompareTo(zero) < 0 ? high2.Negate() : zero,
                bounds.High is not { } high3 || high3.CompareTo(zero) >= 0 || bounds.HighExclusive,
                bounds.Low?.Negate(), bounds.LowExclusive, bounds);

        // 2. Explore. Row 0 is the start, row 1 follows the minus.
        List<int[]> rows = [Row(), Row()];
        List<bool> final = [false, false];
        Dictionary<(bool Negative, MagnitudeState State), int> ids = [];
        Queue<((bool Negative, MagnitudeState State) Key, int Id)> queue = new();
        if (negative is not null)
        {
            rows[0]['-'] = 1;
            Expand(negative, true, Magnitude.Start, rows[1]);
        }

        if (positive is not null)
        {
            Expand(positive, false, Magnitude.Start, rows[0]);
        }

        while (queue.TryDequeue(out ((bool Negative, MagnitudeState State) Key, int Id) item))
        {
            Expand(item.Key.Negative ? negative! : positive!, item.Key.Negative, item.Key.State, rows[item.Id]);
        }

        return TableRule.Create(rows, final);

        void Expand(Magnitude magnitude, bool isNegative, MagnitudeState state, int[] row)
        {
            foreach (char value in "0123456789.")
            {
                if (magnitude.Next(state, value) is not { } next)
                {
                    continue;
                }

                if (!ids.TryGetValue((isNegative, next), out int id))
                {
                    id = rows.Count;
                    ids.Add((isNegative, next), id);
                    rows.Add(Row());
                    final.Add(magnitude.IsFinal(next));
                    queue.Enqueue(((isNegative, next), id));
                }

                row[value] = id;
            }
        }
    }

    private static TableRule BuildNumber()
    {
        // 0 start, 1 minus, 2 zero, 3… integer digits, then point, fraction digits, e, sign, two exponent digits.
        const int Digits = 3;
        const int Point = Digits + IntegerDigits;
        const int Fraction = Point + 1;
        const int E = Fraction + FractionDigits;
        List<int[]> rows = [.. Enumerable.Range(0, E + 4).Select(_ => Row())];
        bool[] final = new bool[E + 4];
        rows[0]['-'] = 1;
        OnDigits(rows[0], Digits);
        OnDigits(rows[1], Digits);
        rows[0]['0'] = rows[1]['0'] = 2;
        for (int i = 2; i < Point; i++)
        {
            final[i] = true;
            rows[i]['.'] = Point;
            rows[i]['e'] = rows[i]['E'] = E;
            if (i >= Digits && i + 1 < Point)
            {
                OnDigits(rows[i], i + 1);
            }
        }

        OnDigits(rows[Point], Fraction);
        for (int i = Fraction; i < E; i++)
        {
            final[i] = true;
            rows[i]['e'] = rows[i]['E'] = E;
            if (i + 1 < E)
            {
                OnDigits(rows[i], i + 1);
            }
        }

        rows[E]['+'] = rows[E]['-'] = E + 1;
        OnDigits(rows[E], E + 2);
        OnDigits(rows[E + 1], E + 2);
        OnDigits(rows[E + 2], E + 3);
        final[E + 2] = final[E + 3] = true;
        return TableRule.Create(rows, final);
    }

    private static void OnDigits(int[] row, int target) => row.AsSpan('0', 10).Fill(target);

    private static int[] Row()
    {
        int[] row = new int[256];
        Array.Fill(row, -1);
        return row;
    }
}
