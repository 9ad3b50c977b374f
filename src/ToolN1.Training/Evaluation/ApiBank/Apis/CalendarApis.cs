using ToolN1.Training.Evaluation.Python;
using static ToolN1.Training.Evaluation.ApiBank.Apis.PyArguments;

namespace ToolN1.Training.Evaluation.ApiBank.Apis;

/// <summary>Agenda, alarms and reminders. Lookups are exact even where the comparison of the call is lenient.</summary>
internal static class CalendarApis
{
    private const string AgendaSignature = "token:str content:str time:str location:str";
    private const string ReminderSignature = "token:str content:str time:str";

    public static IEnumerable<SimulatedApi> All { get; } =
    [
        new("AddAgenda", AgendaSignature, AddAgenda, IsSameAgenda),
        new("DeleteAgenda", AgendaSignature, DeleteAgenda, IsSameDeletion),
        new("ModifyAgenda", AgendaSignature, ModifyAgenda, IsSameAgenda),
        new("QueryAgenda", AgendaSignature, QueryAgenda, IsSameAgenda),
        new("AddAlarm", "token:str time:str", AddAlarm, SimulatedApi.AllEqual),
        new("DeleteAlarm", "token:str time:str", DeleteAlarm, SimulatedApi.AllEqual),
        new("ModifyAlarm", "token:str from_time:str to_time:str", ModifyAlarm, SimulatedApi.AllEqual),
        new("QueryAlarm", "token:str time:str", QueryAlarm, SimulatedApi.AllEqual),
        new("AddReminder", ReminderSignature, AddReminder, IsSameReminder),
        new("DeleteReminder", ReminderSignature, DeleteReminder, IsSameDeletion),
        new("ModifyReminder", ReminderSignature, ModifyReminder, IsSameReminder),
        new("QueryReminder", ReminderSignature, QueryReminder, IsSameReminder),
    ];

    /// <summary>Once the deletion succeeded only the time is compared, else output and exception.</summary>
    public static bool IsSameDeletion(ApiResult response, ApiResult truth) => truth.Output.Is("success") && response.Output.Is("success")
        ? PyValue.Equal(response.Argument("time"), truth.Argument("time"))
        : ApiResult.SameOutcome(response, truth);

    /// <summary>The key of the user's first record for which any of the fields has the argument's value, or null.</summary>
    public static string? Find(PyDict table, string username, PyDict arguments, params string[] fields)
    {
        foreach (KeyValuePair<string, PyValue> record in table)
        {
            PyDict entries = record.Value.Entries;
            if (entries["username"].Is(username) && fields.Any(field => PyValue.Equal(entries[field], arguments[field])))
            {
                return record.Key;
            }
        }

        return null;
    }

    /// <summary>Adds a record under an id that no other has.</summary>
    public static void Add(PyDict table, string username, PyDict arguments, params string[] fields)
    {
        PyDict record = new() { ["username"] = PyValue.Of(username) };
        foreach (string field in fields)
        {
            record[field] = arguments[field];
        }

        long id = table.Count + 1L;
        while (table.ContainsKey(PyText.Str(PyValue.Of(id))))
        {
            id++;
        }

        table[PyText.Str(PyValue.Of(id))] = PyValue.Of(record);
    }

    private static bool IsSameAgenda(ApiResult response, ApiResult truth) =>
        WordsOverlap(response.Argument("content"), truth.Argument("content"))
        && PyValue.Equal(response.Argument("time"), truth.Argument("time"))
        && PyValue.Equal(response.Argument("location"), truth.Argument("location"))
        && ApiResult.SameOutcome(response, truth);

    private static bool IsSameReminder(ApiResult response, ApiResult truth) =>
        WordsOverlap(response.Argument("content"), truth.Argument("content"), lower: true)
        && PyValue.Equal(response.Argument("time"), truth.Argument("time"))
        && ApiResult.SameOutcome(response, truth);

    private static void RequireContent(PyDict a)
    {
        if (Strip(a["content"]).Length == 0)
        {
            throw Raise("Content should not be null");
        }
    }

    private static void CheckOptionalTime(PyValue time)
    {
        if (time.IsTruthy)
        {
            PyDates.Parse(time, PyDates.TimeFormat);
        }
    }

    private static PyValue AddAgenda(PyDict a, ApiDatabase db)
    {
        PyDates.Parse(a["time"], PyDates.TimeFormat);
        RequireContent(a);
        Add(db.Table("Agenda"), db.CheckToken(a["token"]), a, "content", "time", "location");
        return Success;
    }

    private static PyValue DeleteAgenda(PyDict a, ApiDatabase db)
    {
        CheckOptionalTime(a["time"]);
        PyDict table = db.Table("Agenda");
        if (Find(table, db.CheckToken(a["token"]), a, "content", "time") is string key)
        {
            table.Remove(key);
            return Success;
        }

        return a["content"].IsTruthy ? throw Raise($"You have no meeting about {PyText.Str(a["content"])}")
            : a["time"].IsTruthy ? throw Raise($"You have no meeting at time : {PyText.Str(a["time"])}")
            : Success;
    }

    private static PyValue ModifyAgenda(PyDict a, ApiDatabase db)
    {
        CheckOptionalTime(a["time"]);
        PyDict table = db.Table("Agenda");
        string username = db.CheckToken(a["token"]);
        if (Find(table, username, a, "content", "time") is string key)
        {
            table[key] = PyValue.Of(new PyDict
            {
                ["username"] = PyValue.Of(username),
                ["content"] = a["content"],
                ["time"] = a["time"],
                ["location"] = a["location"],
            });
            return Success;
        }

        // The original returns an exception object here, which equals no recorded output; so does NaN.
        return a["content"].IsTruthy || a["time"].IsTruthy ? throw NoAgenda(a) : PyValue.Of(double.NaN);
    }

    private static PyValue QueryAgenda(PyDict a, ApiDatabase db)
    {
        CheckOptionalTime(a["time"]);
        PyDict table = db.Table("Agenda");
        return Find(table, db.CheckToken(a["token"]), a, "content", "time") is string key ? table[key] : throw NoAgenda(a);
    }

    private static PyException NoAgenda(PyDict a) => Raise(a["content"].IsTruthy
        ? $"You have no agenda about {PyText.Str(a["content"])}"
        : a["time"].IsTruthy ? $"You have no agenda at time : {PyText.Str(a["time"])}" : "Error");

    private static PyValue AddAlarm(PyDict a, ApiDatabase db)
    {
        PyDates.Parse(a["time"], PyDates.TimeFormat);
        Add(db.Table("Alarm"), db.CheckToken(a["token"]), a, "time");
        return Success;
    }

    private static PyValue DeleteAlarm(PyDict a, ApiDatabase db)
    {
        PyDates.Parse(a["time"], PyDates.TimeFormat);
        PyDict table = db.Table("Alarm");
        table.Remove(Find(table, db.CheckToken(a["token"]), a, "time") ?? throw NoAlarm(a));
        return Success;
    }

    private static PyValue ModifyAlarm(PyDict a, ApiDatabase db)
    {
        PyDates.Parse(a["from_time"], PyDates.TimeFormat);
        PyDates.Parse(a["to_time"], PyDates.TimeFormat);
        PyDict table = db.Table("Alarm");
        string username = db.CheckToken(a["token"]);
        string key = Find(table, username, new PyDict { ["time"] = a["from_time"] }, "time")
            ?? throw Raise($"You have no agenda at time : {PyText.Str(a["from_time"])}");
        table[key] = PyValue.Of(new PyDict { ["username"] = PyValue.Of(username), ["time"] = a["to_time"] });
        return Success;
    }

    private static PyValue QueryAlarm(PyDict a, ApiDatabase db)
    {
        PyDates.Parse(a["time"], PyDates.TimeFormat);
        PyDict table = db.Table("Alarm");
        return table[Find(table, db.CheckToken(a["token"]), a, "time") ?? throw NoAlarm(a)];
    }

    private static PyException NoAlarm(PyDict a) => Raise($"You have no alarm clock at time : {PyText.Str(a["time"])}");

    private static PyValue AddReminder(PyDict a, ApiDatabase db)
    {
        PyDates.Parse(a["time"], PyDates.TimeFormat);
        RequireContent(a);
        Add(db.Table("Reminder"), db.CheckToken(a["token"]), a, "content", "time");
        return Success;
    }

    private static PyValue DeleteReminder(PyDict a, ApiDatabase db)
    {
        db.Table("Reminder").Remove(FindReminder(a, db));
        return Success;
    }

    private static PyValue ModifyReminder(PyDict a, ApiDatabase db)
    {
        PyDict record = db.Table("Reminder")[FindReminder(a, db)].Entries;
        record["content"] = a["content"];
        record["time"] = a["time"];
        return Success;
    }

    private static PyValue QueryReminder(PyDict a, ApiDatabase db) => db.Table("Reminder")[FindReminder(a, db)];

    private static string FindReminder(PyDict a, ApiDatabase db)
    {
        PyDates.Parse(a["time"], PyDates.TimeFormat);
        RequireContent(a);
        return Find(db.Table("Reminder"), db.CheckToken(a["token"]), a, "content", "time")
            ?? throw Raise($"You have no reminder about {PyText.Str(a["content"])} or at time : {PyText.Str(a["time"])}");
    }
}
