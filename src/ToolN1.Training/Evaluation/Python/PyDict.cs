using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace ToolN1.Training.Evaluation.Python;

/// <summary>
/// A Python dict with string keys: insertion order is kept, setting an existing key keeps its place. Small ones are
/// searched linearly, which beats hashing for the handful of keys that tool calls have.
/// </summary>
internal sealed class PyDict : IEnumerable<KeyValuePair<string, PyValue>>
{
    private const int LinearLimit = 12;

    private readonly List<KeyValuePair<string, PyValue>> _entries = [];
    private Dictionary<string, int>? _index;

    public int Count => _entries.Count;

    public PyValue this[string key]
    {
        get => TryGetValue(key, out PyValue? value) ? value : throw new PyException("KeyError", PyText.Repr(key));
        set
        {
            int at = Find(key);
            if (at >= 0)
            {
                _entries[at] = new(key, value);
                return;
            }

            _entries.Add(new(key, value));
            if (_index is not null)
            {
                _index.Add(key, _entries.Count - 1);
            }
            else if (_entries.Count > LinearLimit)
            {
                Reindex();
            }
        }
    }

    public KeyValuePair<string, PyValue> EntryAt(int index) => _entries[index];

    public bool ContainsKey(string key) => Find(key) >= 0;

    public bool TryGetValue(string key, [NotNullWhen(true)] out PyValue? value)
    {
        int at = Find(key);
        value = at >= 0 ? _entries[at].Value : null;
        return at >= 0;
    }

    public bool Remove(string key)
    {
        int at = Find(key);
        if (at < 0)
        {
            return false;
        }

        _entries.RemoveAt(at);
        _index = null;
        if (_entries.Count > LinearLimit)
        {
            Reindex();
        }

        return true;
    }

    public IEnumerator<KeyValuePair<string, PyValue>> GetEnumerator() => _entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private int Find(string key)
    {
        if (_index is not null)
        {
            return _index.TryGetValue(key, out int found) ? found : -1;
        }

        for (int i = 0; i < _entries.Count; i++)
        {
            if (string.Equals(_entries[i].Key, key, StringComparison.Ordinal))
            {
                return i;
            }
        }

        return -1;
    }

    private void Reindex()
    {
        _index = new Dictionary<string, int>(_entries.Count, StringComparer.Ordinal);
        for (int i = 0; i < _entries.Count; i++)
        {
            _index.Add(_entries[i].Key, i);
        }
    }
}
