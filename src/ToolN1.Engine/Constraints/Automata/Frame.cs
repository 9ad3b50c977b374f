namespace ToolN1.Engine.Constraints.Automata;

/// <summary>A rule in progress and what to return to: one stack of the automaton, linked so that stacks share their lower part.</summary>
internal sealed class Frame : IEquatable<Frame>
{
    private readonly int _hash;

    /// <summary>Pushes a rule.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="state">Its state.</param>
    /// <param name="parent">Where its end returns to, already in the state after the call; null at the bottom.</param>
    /// <param name="room">Levels of nesting left to callees.</param>
    public Frame(Rule rule, int state, Frame? parent, int room)
    {
        Rule = rule;
        State = state;
        Parent = parent;
        Room = room;
        MinBytes = Math.Min(Rule.Never, rule.MinBytesFrom(state) + (parent?.MinBytes ?? 0));
        _hash = HashCode.Combine(System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(rule), state, parent?._hash ?? 0);
    }

    /// <summary>The rule.</summary>
    public Rule Rule { get; }

    /// <summary>Its state.</summary>
    public int State { get; }

    /// <summary>The caller.</summary>
    public Frame? Parent { get; }

    /// <summary>Levels of nesting left to callees.</summary>
    public int Room { get; }

    /// <summary>Fewest bytes to the end of the whole stack.</summary>
    public int MinBytes { get; }

    /// <summary>The frame of a state's call; null when nesting would grow beyond the limit.</summary>
    public static Frame? Push(Frame caller, int index)
    {
        (Rule callee, int returnState) = caller.Rule.Call(caller.State, index);
        if (callee.MinDepth > caller.Room || caller.Rule.DepthAfterCall(caller.State, index) > caller.Room)
        {
            return null;
        }

        // A caller that has nothing left to do is left out, so that chains of alternatives cost no depth.
        Rule rule = caller.Rule;
        bool isTail = !rule.IsContainer && rule.IsFinal(returnState) && !rule.HasBytes(returnState) && rule.CallCount(returnState) == 0;
        Frame? parent = isTail ? caller.Parent : new Frame(rule, returnState, caller.Parent, caller.Room);
        return new Frame(callee, callee.Start, parent, caller.Room - (callee.IsContainer ? 1 : 0));
    }

    /// <summary>The same stack with its top in another state.</summary>
    public Frame At(int state) => new(Rule, state, Parent, Room);

    /// <inheritdoc/>
    public bool Equals(Frame? other)
    {
        Frame? a = this;
        Frame? b = other;
        while (!ReferenceEquals(a, b))
        {
            if (a is null || b is null || a._hash != b._hash || a.State != b.State || !ReferenceEquals(a.Rule, b.Rule) || a.Room != b.Room)
            {
                return false;
            }

            a = a.Parent;
            b = b.Parent;
        }

        return true;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Frame);

    /// <inheritdoc/>
    public override int GetHashCode() => _hash;
}
