using System.Collections.Concurrent;
using ToolN1.Training.Evaluation.ApiBank.Apis;
using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.ApiBank;

/// <summary>
/// Reads the benchmark's folder: <c>dialogues/*.jsonl</c> (the recorded calls) and <c>init_database/*.json</c> (the state
/// that every evaluation starts from). Thread-safe.
/// </summary>
internal sealed class ApiBankData
{
    /// <summary>OpenBankAccount has no table in the files; it starts with one built-in account.</summary>
    public const string OpenedAccounts = "(opened bank accounts)";

    private readonly string _folder;
    private readonly Dictionary<(string File, int Id), ApiBankTruth> _truths = [];
    private readonly Dictionary<string, PyValue> _recorded = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, PyValue> _tables = new(StringComparer.Ordinal);

    /// <exception cref="InvalidDataException">A file is missing or a line is not in the format; the message names both.</exception>
    public ApiBankData(string folder)
    {
        _folder = folder;
        string dialogues = Path.Combine(folder, "dialogues");
        if (!Directory.Exists(dialogues))
        {
            throw new InvalidDataException($"API-Bank's dialogues are missing: {dialogues}.");
        }

        foreach (string file in Directory.EnumerateFiles(dialogues, "*.jsonl").Order(StringComparer.Ordinal))
        {
            try
            {
                ReadDialogue(Path.GetFileName(file), JsonLines.Read(file));
            }
            catch (PyException e)
            {
                throw new InvalidDataException($"{file}: not an API-Bank dialogue ({e.Message}).", e);
            }
        }
    }

    /// <summary>The recorded call of a sample.</summary>
    /// <exception cref="InvalidDataException">The dialogue has no such sample.</exception>
    public ApiBankTruth Truth(string file, int id) => _truths.TryGetValue((file, id), out ApiBankTruth? truth)
        ? truth
        : throw new InvalidDataException($"API-Bank has no call {id} in dialogue '{file}'.");

    /// <summary>A fresh copy of the state.</summary>
    public ApiDatabase NewDatabase() => new(Table, _recorded);

    private void ReadDialogue(string file, List<PyValue> messages)
    {
        // Two samples for every API message: the one before it and the one after it, which is a call again where two follow each other.
        int id = 0;
        for (int i = 0; i < messages.Count; i++)
        {
            if (!IsCall(messages[i]))
            {
                continue;
            }

            ApiBankTruth truth = ReadCall(messages[i].Entries);
            _truths[(file, id)] = truth;
            if (i + 1 < messages.Count && IsCall(messages[i + 1]))
            {
                _truths[(file, id + 1)] = ReadCall(messages[i + 1].Entries);
            }

            id += 2;
            if (truth.Result.Exception.IsNone && truth.Result.Input.Kind == PyKind.Dict && InformationApis.ReplayKey(truth.ApiName, truth.Result.Input.Entries) is string key)
            {
                _recorded[$"{truth.ApiName}\n{key}"] = truth.Result.Output;
            }
        }
    }

    private static bool IsCall(PyValue message) => message.Entries["role"].Is("API");

    private static ApiBankTruth ReadCall(PyDict message)
    {
        PyDict result = message["result"].Entries;
        return new ApiBankTruth(message["api_name"].Text, new ApiResult(result["input"], result["output"], result["exception"]));
    }

    private PyValue Table(string name) => _tables.GetOrAdd(name, table =>
    {
        if (table == OpenedAccounts)
        {
            return PyValue.Of(new PyDict
            {
                ["0"] = PyValue.Of(new PyDict { ["account"] = PyValue.Of("test"), ["password"] = PyValue.Of("test"), ["name"] = PyValue.Of("yifei") }),
            });
        }

        string file = Path.Combine(_folder, "init_database", table + ".json");
        return File.Exists(file)
            ? PyJson.Parse(File.ReadAllText(file))
            : throw new InvalidDataException($"API-Bank's table is missing: {file}.");
    });
}
