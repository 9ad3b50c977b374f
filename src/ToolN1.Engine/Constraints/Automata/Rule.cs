namespace ToolN1.Engine.Constraints.Automata;

/// <summary>
/// One production of a grammar: a deterministic automaton over bytes whose states may also call other rules (push) and
/// end (pop). States are plain numbers, so a rule may compute them instead of storing them. Immutable once compiled and
/// shared between threads and grammars.
/// </summary>
internal abstract class Rule
{
    /// <summary>Stands for "cannot be completed" in <see cref="MinBytes"/> and <see cref="MinDepth"/>.</summary>
    public const int Never = int.MaxValue / 4;

    /// <summary>The first state.</summary>
    public virtual int Start => 0;

    /// <summary>Fewest bytes of a complete match, calls included; <see cref="Never"/> when nothing matches.</summary>
    public int MinBytes { get; private set; } = Never;

    /// <summary>Fewest nested objects and arrays of a complete match; <see cref="Never"/> when nothing matches.</summary>
    public int MinDepth { get; private set; } = Never;

    /// <summary>Upper bound of what one free choice in this rule adds to the shortest completion, in bytes.</summary>
    public virtual int MaxGrowth => 0;

    /// <summary>Whether a match is one more level of nesting.</summary>
    public virtual bool IsContainer => false;

    /// <summary>How the masks of its states are found. In free text, added tokens may stand for their text too.</summary>
    public virtual RuleShape Shape => RuleShape.Narrow;

    /// <summary>Stored states, for budgets.</summary>
    public virtual int StoredStates => 1;

    /// <summary>Rules that may be called.</summary>
    public virtual IEnumerable<Rule> Callees => [];

    /// <summary>The state after a byte, or -1.</summary>
    /// <param name="state">A state of this rule.</param>
    /// <param name="value">The byte.</param>
    /// <param name="room">Levels of nesting that callees may still use; choices that need more are not open.</param>
    public abstract int Next(int state, byte value, int room);

    /// <summary>Whether some byte leads on from here.</summary>
    public abstract bool HasBytes(int state);

    /// <summary>Whether the rule may end here.</summary>
    public abstract bool IsFinal(int state);

    /// <summary>Calls open in a state.</summary>
    public virtual int CallCount(int state) => 0;

    /// <summary>A call open in a state, and the state to return to.</summary>
    public virtual (Rule Callee, int Return) Call(int state, int index) => throw new ArgumentOutOfRangeException(nameof(index));

    /// <summary>Nesting that becomes unavoidable by taking a call, beyond the callee's own.</summary>
    public virtual int DepthAfterCall(int state, int index) => 0;

    /// <summary>Fewest bytes from a state to the end of the rule, callees included.</summary>
    public abstract int MinBytesFrom(int state);

    /// <summary>Of a string that restricts nothing but its length: where a state is in it; null before its first quote and for other strings.</summary>
    public virtual StringPlace? StringPlace(int state) => null;

    /// <summary>Of other strings: whether many bytes lead on from a state, so that its mask is worth keeping.</summary>
    public virtual bool IsBroad(int state) => false;

    /// <summary>The id of the added token that leads on from a state, or -1; the state after it is <see cref="AfterAddedToken"/>.</summary>
    public virtual int AddedToken(int state) => -1;

    /// <summary>The state after <see cref="AddedToken"/>.</summary>
    public virtual int AfterAddedToken => -1;

    /// <summary>Recomputes the minima from those of the callees. Returns whether they changed.</summary>
    public bool UpdateMinima()
    {
        int depth = Math.Min(Never, ComputeMinDepth());
        int bytes = depth >= Never ? Never : Math.Min(Never, MinBytesFrom(Start));
        bool changed = depth != MinDepth || bytes != MinBytes;
        (MinDepth, MinBytes) = (depth, bytes);
        return changed;
    }

    /// <summary>Nesting of the shallowest match, from the callees' <see cref="MinDepth"/>.</summary>
    protected abstract int ComputeMinDepth();

    /// <summary>Sum that stays at <see cref="Never"/>.</summary>
    protected static int Add(int a, int b) => Math.Min(Never, a + b);
}
