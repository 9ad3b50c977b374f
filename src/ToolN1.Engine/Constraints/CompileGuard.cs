namespace ToolN1.Engine.Constraints;

/// <summary>Counts what compiling one schema has cost and stops it beyond the budget. Belongs to the thread that made it.</summary>
internal sealed class CompileGuard(ConstraintBudget budget)
{
    private readonly TimeSpan _started = ThreadClock.Now();
    private int _states;
    private int _subschemas;
    private int _ticks;

    /// <summary>The limits.</summary>
    public ConstraintBudget Budget { get; } = budget;

    /// <summary>Counts stored states.</summary>
    /// <exception cref="ConstraintException">Over budget.</exception>
    public void AddStates(int count, string pointer)
    {
        _states += count;
        if (_states > Budget.MaxStates)
        {
            throw new ConstraintException(pointer, $"the schema needs more than the {Budget.MaxStates} automaton states that one may have");
        }

        CheckTime(pointer);
    }

    /// <summary>Counts a subschema.</summary>
    /// <exception cref="ConstraintException">Over budget.</exception>
    public void AddSubschema(string pointer)
    {
        if (++_subschemas > Budget.MaxSubschemas)
        {
            throw new ConstraintException(pointer, $"the schema combines to more than the {Budget.MaxSubschemas} subschemas that one may have");
        }

        CheckTime(pointer);
    }

    /// <summary>Looks at the clock now and then.</summary>
    /// <exception cref="ConstraintException">Over budget.</exception>
    public void CheckTime(string pointer)
    {
        if ((++_ticks & 63) == 0 && ThreadClock.Now() - _started > Budget.MaxTime)
        {
            throw new ConstraintException(pointer, $"compiling the schema takes longer than the {Budget.MaxTime.TotalMilliseconds:0} ms that one may take");
        }
    }
}
