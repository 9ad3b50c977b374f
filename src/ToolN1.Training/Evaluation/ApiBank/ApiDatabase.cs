using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.ApiBank;

/// <summary>
/// The state that simulated APIs work on: a fresh copy of the benchmark's tables. A table is copied when first asked for,
/// so an evaluation pays only for what it touches. Not thread-safe; one per evaluation.
/// </summary>
/// <param name="pristine">The tables as loaded; never changed.</param>
/// <param name="recorded">Results to replay for the two APIs that need a network, by API and normalised input.</param>
internal sealed class ApiDatabase(Func<string, PyValue> pristine, IReadOnlyDictionary<string, PyValue> recorded)
{
    private readonly Dictionary<string, PyValue> _tables = new(StringComparer.Ordinal);

    /// <summary>The code that ForgotPassword has sent in this session, and to whom.</summary>
    public PyValue VerificationCode { get; set; } = PyValue.None;

    public string? VerifiedUser { get; set; }

    /// <summary>A table whose keys are record ids or names.</summary>
    public PyDict Table(string name) => Value(name).Entries;

    /// <summary>A table that is only read, straight from the loaded data.</summary>
    public PyValue ReadOnly(string name) => pristine(name);

    /// <summary>The recorded result of a network API.</summary>
    public PyValue? Replay(string api, string key) => recorded.GetValueOrDefault($"{api}\n{key}");

    /// <summary>The user whose token this is.</summary>
    /// <exception cref="PyException">No such token.</exception>
    public string CheckToken(PyValue token)
    {
        foreach (KeyValuePair<string, PyValue> account in Table("Account"))
        {
            if (PyValue.Equal(account.Value.Entries["token"], token))
            {
                return account.Key;
            }
        }

        throw new PyException("Exception", "The token is invalid.");
    }

    private PyValue Value(string name)
    {
        if (!_tables.TryGetValue(name, out PyValue? table))
        {
            table = pristine(name).Clone();
            _tables.Add(name, table);
        }

        return table;
    }
}
