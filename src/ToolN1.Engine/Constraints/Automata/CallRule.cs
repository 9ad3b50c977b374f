using System.Text;
using ToolN1.Engine.Constraints.Schemas;

namespace ToolN1.Engine.Constraints.Automata;

/// <summary>One tool call, <c>{"name": "…", "arguments": …}</c>: the name decides which rule the arguments follow.</summary>
internal sealed class CallRule : Rule
{
    private readonly Rule[] _arguments;
    private readonly ByteTrie _heads;
    private readonly int[] _minBytes;
    private readonly int _close;
    private readonly int _done;

    /// <summary>Creates the rule.</summary>
    /// <param name="tools">Distinct names and the rules of their arguments.</param>
    public CallRule(IReadOnlyList<(string Name, Rule Arguments)> tools)
    {
        _arguments = [.. tools.Select(tool => tool.Arguments)];
        _heads = new ByteTrie([.. tools.Select(tool => Encoding.UTF8.GetBytes($"{{\"name\": {JsonSpelling.Quote(tool.Name)}, \"arguments\": "))]);
        _minBytes = new int[_heads.Count];
        _close = _heads.Count;
        _done = _close + 1;
        UpdateMinima();
    }

    /// <inheritdoc/>
    public override bool IsContainer => true;

    /// <inheritdoc/>
    public override int StoredStates => _heads.Count;

    /// <inheritdoc/>
    public override IEnumerable<Rule> Callees => _arguments;

    /// <inheritdoc/>
    public override int MaxGrowth =>
        Math.Max(0, _heads.LongestEntry + 1 + _arguments.Select(rule => rule.MinBytes).Where(bytes => bytes < Never).DefaultIfEmpty(0).Max() - MinBytes);

    /// <inheritdoc/>
    public override int Next(int state, byte value, int room) =>
        state < _close ? _heads.Child(state, value) : state == _close && value == '}' ? _done : -1;

    /// <inheritdoc/>
    public override bool HasBytes(int state) => state == _close || (state < _close && _heads.HasChildren(state));

    /// <inheritdoc/>
    public override bool IsFinal(int state) => state == _done;

    /// <inheritdoc/>
    public override int CallCount(int state) => state < _close && _heads.EntryAt[state] >= 0 ? 1 : 0;

    /// <inheritdoc/>
    public override (Rule Callee, int Return) Call(int state, int index) => (_arguments[_heads.EntryAt[state]], _close);

    /// <inheritdoc/>
    public override int MinBytesFrom(int state)
    {
        if (state >= _close)
        {
            return _done - state;
        }

        return _minBytes[state];
    }

    /// <inheritdoc/>
    protected override int ComputeMinDepth()
    {
        // Children have higher numbers than their parents.
        for (int node = _heads.Count - 1; node >= 0; node--)
        {
            int entry = _heads.EntryAt[node];
            _minBytes[node] = entry >= 0 ? Add(1, _arguments[entry].MinBytes) : Never;
            foreach (int child in _heads.Children(node))
            {
                _minBytes[node] = Math.Min(_minBytes[node], Add(1, _minBytes[child]));
            }
        }

        return Add(1, _arguments.Select(rule => rule.MinDepth).DefaultIfEmpty(Never).Min());
    }
}
