namespace ToolN1.Training.Planning;

/// <summary>What a micro-batch is made of, on average: groups of rows that begin alike.</summary>
/// <param name="Prefix">Tokens that a group's rows share.</param>
/// <param name="Row">Tokens of a row beyond them.</param>
/// <param name="Rows">Rows of a group.</param>
/// <param name="Predicting">Fraction of all tokens whose successors the loss looks at.</param>
internal sealed record BatchShape(double Prefix, double Row, int Rows, double Predicting)
{
    /// <summary>Tokens of a group's rows beyond the prefix.</summary>
    public double Rest => Rows * Row;

    /// <summary>Their fraction of all tokens.</summary>
    public double RestShare => Rest / (Prefix + Rest);
}
