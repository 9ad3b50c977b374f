using System.Numerics;

namespace ToolN1.Engine.Constraints.Automata;

/// <summary>Recognises unsigned decimal numbers within bounds, digit by digit.</summary>
internal sealed class Magnitude
{
    private readonly string _lowDigits;
    private readonly string _lowFraction;
    private readonly bool _lowExclusive;
    private readonly string? _highDigits;
    private readonly string _highFraction;
    private readonly bool _highExclusive;
    private readonly int _maxDigits;
    private readonly int _maxFraction;
    private readonly int _divisor;

    /// <summary>Creates a recogniser.</summary>
    public Magnitude(DecimalNumber low, bool lowExclusive, DecimalNumber? high, bool highExclusive, NumberBounds bounds)
    {
        _lowDigits = low.IntegerDigits;
        _lowFraction = low.FractionDigits;
        _lowExclusive = lowExclusive;
        _highDigits = high?.IntegerDigits;
        _highFraction = high?.FractionDigits ?? "";
        _highExclusive = highExclusive;
        _maxDigits = _highDigits?.Length
            ?? Math.Max(NumberRules.IntegerDigits, low.Mantissa == BigInteger.Zero ? 0 : _lowDigits.Length + 1);
        _maxFraction = bounds.MaxFraction;
        _divisor = bounds.MultipleOf;
    }

    /// <summary>Nothing is written.</summary>
    public static MagnitudeState Start => new(0, -1, 0, 0, 0, false);

    /// <summary>The state after a digit or the point; null when no number within the bounds begins so.</summary>
    public MagnitudeState? Next(MagnitudeState state, char value)
    {
        if (value == '.')
        {
            if (_maxFraction == 0 || state.Digits == 0 || state.Fraction >= 0)
            {
                return null;
            }

            int low = CompareInteger(state, state.Low, _lowDigits);
            int high = _highDigits is null ? -1 : CompareInteger(state, state.High, _highDigits);
            return low < 0 || high > 0 ? null : state with { Fraction = 0, Low = low, High = high };
        }

        int digit = value - '0';
        if (state.Fraction < 0)
        {
            return state.IsZero || state.Digits == _maxDigits
                ? null
                : new MagnitudeState(
                    state.Digits + 1, -1,
                    CompareDigit(state.Low, digit, _lowDigits, state.Digits),
                    _highDigits is null ? -1 : CompareDigit(state.High, digit, _highDigits, state.Digits),
                    ((state.Remainder * 10) + digit) % _divisor,
                    state.Digits == 0 && digit == 0);
        }

        if (state.Fraction == _maxFraction)
        {
            return null;
        }

        int fractionLow = CompareFraction(state.Low, digit, _lowFraction, state.Fraction);
        int fractionHigh = _highDigits is null ? -1 : CompareFraction(state.High, digit, _highFraction, state.Fraction);
        return fractionLow < 0 || fractionHigh > 0
            ? null
            : state with { Fraction = state.Fraction + 1, Low = fractionLow, High = fractionHigh };
    }

    /// <summary>Whether the number may end here.</summary>
    public bool IsFinal(MagnitudeState state)
    {
        if (state.Digits == 0 || state.Fraction == 0 || state.Remainder != 0)
        {
            return false;
        }

        int written = Math.Max(0, state.Fraction);
        int low = state.Fraction < 0 ? CompareInteger(state, state.Low, _lowDigits) : state.Low;
        bool isAbove = low > 0 || (low == 0 && written >= _lowFraction.Length && !_lowExclusive);
        if (_highDigits is null)
        {
            return isAbove;
        }

        int high = state.Fraction < 0 ? CompareInteger(state, state.High, _highDigits) : state.High;
        return isAbove && (high < 0 || (high == 0 && (written < _highFraction.Length || !_highExclusive)));
    }

    private static int CompareInteger(MagnitudeState state, int soFar, string digits) =>
        state.Digits != digits.Length ? state.Digits.CompareTo(digits.Length) : soFar;

    private static int CompareDigit(int soFar, int digit, string digits, int index) =>
        soFar != 0 || index >= digits.Length ? soFar : Math.Sign(digit - (digits[index] - '0'));

    private static int CompareFraction(int soFar, int digit, string digits, int index) =>
        soFar != 0 ? soFar : Math.Sign(digit - (index < digits.Length ? digits[index] - '0' : 0));
}
