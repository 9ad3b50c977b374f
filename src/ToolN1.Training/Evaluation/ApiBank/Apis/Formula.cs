using ToolN1.Training.Evaluation.Python;
using static ToolN1.Training.Evaluation.ApiBank.Apis.PyArguments;

namespace ToolN1.Training.Evaluation.ApiBank.Apis;

/// <summary>The Calculator API's arithmetic: whole numbers, four operations, parentheses, doubles inside.</summary>
internal static class Formula
{
    public static string WithoutSpaces(PyValue formula) =>
        formula.IsString ? formula.Text.Replace(" ", "", StringComparison.Ordinal) : throw PyException.NoAttribute(formula, "replace");

    /// <exception cref="PyException">Not a formula, or a division by zero.</exception>
    public static PyValue Evaluate(PyValue formula)
    {
        string text = WithoutSpaces(formula);
        int operators = text.Count(c => c is '+' or '-' or '*' or '/');
        bool valid = text.Length > 0 && text.All("0123456789+-*/()".Contains)
            && text.Count(c => c == '(') == text.Count(c => c == ')') && operators > 0 && operators + 1 != text.Length;
        return valid ? PyValue.Of(Reduce(Tokens(text))) : throw Raise("invalid formula");
    }

    /// <summary>Numbers and operators; an operator is a double's NaN with its character beside it.</summary>
    private static List<(double Number, char Sign)> Tokens(string text)
    {
        List<(double, char)> tokens = [];
        for (int i = 0; i < text.Length; i++)
        {
            int start = i;
            while (i < text.Length && char.IsAsciiDigit(text[i]))
            {
                i++;
            }

            if (i > start)
            {
                tokens.Add((PyNumbers.ParseFloat(text[start..i])!.Number, '\0'));
            }

            if (i < text.Length)
            {
                tokens.Add((double.NaN, text[i]));
            }
        }

        return tokens;
    }

    /// <summary>Quirk kept: the first "(" is paired with the first ")", so nested parentheses are an error.</summary>
    private static double Reduce(List<(double Number, char Sign)> tokens)
    {
        while (tokens.FindIndex(token => token.Sign == '(') is int open and >= 0)
        {
            int close = tokens.FindIndex(token => token.Sign == ')');
            if (close < open)
            {
                throw Raise("invalid formula");
            }

            double inner = Reduce(tokens.GetRange(open + 1, close - open - 1));
            tokens.RemoveRange(open, close - open + 1);
            tokens.Insert(open, (inner, '\0'));
        }

        Apply(tokens, '*', '/');
        Apply(tokens, '+', '-');
        return tokens.Count > 0 ? Operand(tokens, 0) : throw new PyException("IndexError", "list index out of range");
    }

    private static void Apply(List<(double Number, char Sign)> tokens, char first, char second)
    {
        while (tokens.FindIndex(token => token.Sign == first || token.Sign == second) is int at and >= 0)
        {
            double a = Operand(tokens, at - 1);
            double b = Operand(tokens, at + 1);
            double value = tokens[at].Sign switch
            {
                '*' => a * b,
                '/' => b == 0 ? throw new PyException("ZeroDivisionError", "float division by zero") : a / b,
                '+' => a + b,
                _ => a - b,
            };
            tokens.RemoveRange(at - 1, 3);
            tokens.Insert(at - 1, (value, '\0'));
        }
    }

    private static double Operand(List<(double Number, char Sign)> tokens, int at) => at >= 0 && at < tokens.Count && tokens[at].Sign == '\0'
        ? tokens[at].Number
        : throw new PyException("TypeError", "unsupported operand type(s)");
}
