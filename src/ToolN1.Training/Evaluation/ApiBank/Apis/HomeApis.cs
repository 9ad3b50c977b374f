using ToolN1.Training.Evaluation.Python;
using static ToolN1.Training.Evaluation.ApiBank.Apis.PyArguments;

namespace ToolN1.Training.Evaluation.ApiBank.Apis;

/// <summary>Smart-home scenes, timed switches and hotel rooms.</summary>
internal static class HomeApis
{
    public static IEnumerable<SimulatedApi> All { get; } =
    [
        new("AddScene", "name:str devices:list", (a, db) => Store(a, db, exists: false), IsSameNewScene),
        new("ModifyScene", "name:str devices:list", (a, db) => Store(a, db, exists: true), (r, t) => IsSameScene(r, t) && ApiResult.SameOutcome(r, t)),
        new("DeleteScene", "name:str", DeleteScene, IsSameName),
        new("QueryScene", "name:str", QueryScene, IsSameName),
        new("TimedSwitch", "name:str time:str on:bool", TimedSwitch, IsSameSwitch),
        new("CancelTimedSwitch", "name:str time:str", CancelTimedSwitch, IsSameCancellation),
        new("BookHotel", "hotel_name:str check_in_time:str check_out_time:str room_count:int adult_count:int child_count:int", BookHotel, SimulatedApi.AllEqual),
    ];

    private static PyValue Store(PyDict a, ApiDatabase db, bool exists)
    {
        string name = SceneName(a);
        PyValue devices = Devices(a["devices"]);
        if (devices.Items.Select(device => device.Entries["name"].Text).Distinct(StringComparer.Ordinal).Count() < devices.Items.Count)
        {
            throw Raise("Device name cannot be duplicated.");
        }

        PyDict scenes = db.Table("Scenes");
        if (scenes.ContainsKey(name) != exists)
        {
            throw Raise(exists ? "The scene does not exist." : "Scene name already exists.");
        }

        scenes[name] = devices;
        return Success;
    }

    /// <summary>The devices with lower-case names, in order of their names.</summary>
    private static PyValue Devices(PyValue devices)
    {
        List<PyValue> list = devices.Kind == PyKind.List ? devices.Items : throw Raise("Invalid device format.");
        List<PyValue> normalized = [];
        foreach (PyValue device in list)
        {
            if (device.Kind != PyKind.Dict || !device.Entries.TryGetValue("name", out PyValue? name) || !device.Entries.TryGetValue("description", out PyValue? text))
            {
                throw Raise("Invalid device format.");
            }

            PyValue copy = device.Clone();
            copy.Entries["name"] = PyValue.Of(StripLower(name));
            copy.Entries["description"] = PyValue.Of(Strip(text));
            normalized.Add(copy);
        }

        return PyValue.Of(normalized.OrderBy(device => device.Entries["name"].Text, StringComparer.Ordinal).ToList());
    }

    private static bool IsSameScene(ApiResult response, ApiResult truth) =>
        string.Equals(StripLower(response.Argument("name")), StripLower(truth.Argument("name")), StringComparison.Ordinal)
        && PyValue.Equal(Devices(response.Argument("devices")), Devices(truth.Argument("devices")));

    private static bool IsSameNewScene(ApiResult response, ApiResult truth) =>
        IsSameScene(response, truth) && !(truth.Output.IsNone && !response.Output.IsNone) && ApiResult.SameException(response, truth);

    private static string SceneName(PyDict a) => StripLower(a["name"]) is { Length: > 0 } name ? name : throw Raise("Scene name cannot be empty.");

    private static PyValue DeleteScene(PyDict a, ApiDatabase db) =>
        db.Table("Scenes").Remove(SceneName(a)) ? Success : throw Raise("The scene does not exist.");

    private static PyValue QueryScene(PyDict a, ApiDatabase db) =>
        db.Table("Scenes").TryGetValue(SceneName(a), out PyValue? devices) ? devices : throw Raise("Scene not found.");

    private static bool IsSameName(ApiResult response, ApiResult truth) =>
        string.Equals(StripLower(response.Argument("name")), StripLower(truth.Argument("name")), StringComparison.Ordinal)
        && ApiResult.SameOutcome(response, truth);

    private static PyValue TimedSwitch(PyDict a, ApiDatabase db)
    {
        string name = StripLower(a["name"]) is { Length: > 0 } given ? given : throw Raise("Name cannot be empty.");
        PyValue time = Time(a["time"]);
        PyDict switches = db.Table("TimeSwitch");
        if (!switches.TryGetValue(name, out PyValue? entries))
        {
            switches[name] = entries = PyValue.Of(new List<PyValue>());
        }

        if (entries.Items.Find(entry => PyValue.Equal(entry.Entries["time"], time)) is PyValue existing)
        {
            existing.Entries["on"] = a["on"];
        }
        else
        {
            entries.Items.Add(PyValue.Of(new PyDict { ["time"] = time, ["on"] = a["on"] }));
        }

        return Success;
    }

    private static PyValue CancelTimedSwitch(PyDict a, ApiDatabase db)
    {
        string name = StripLower(a["name"]) is { Length: > 0 } given ? given : throw Raise("name cannot be empty.");
        PyValue time = Time(a["time"]);
        if (!db.Table("TimeSwitch").TryGetValue(name, out PyValue? entries))
        {
            throw Raise("device name does not exist.");
        }

        int index = entries.Items.FindIndex(entry => PyValue.Equal(entry.Entries["time"], time));
        if (index < 0)
        {
            throw Raise("time does not exist.");
        }

        entries.Items.RemoveAt(index);
        return Success;
    }

    private static bool IsSameCancellation(ApiResult response, ApiResult truth)
    {
        bool sameName = string.Equals(StripLower(response.Argument("name")), StripLower(truth.Argument("name")), StringComparison.Ordinal);
        string? ours = PyDates.Normalize(response.Argument("time"), PyDates.TimeFormat).Text;
        string? theirs = PyDates.Normalize(truth.Argument("time"), PyDates.TimeFormat).Text;
        return sameName && ours is not null && string.Equals(ours, theirs, StringComparison.Ordinal) && ApiResult.SameOutcome(response, truth);
    }

    private static bool IsSameSwitch(ApiResult response, ApiResult truth) =>
        PyValue.Equal(response.Argument("on"), truth.Argument("on")) & IsSameCancellation(response, truth);

    private static PyValue Time(PyValue value)
    {
        (string? text, PyException? error) = PyDates.Normalize(value, PyDates.TimeFormat);
        return error is null ? PyValue.Of(text!) : throw error;
    }

    private static PyValue BookHotel(PyDict a, ApiDatabase db)
    {
        DateTime from = PyDates.Parse(a["check_in_time"], PyDates.DateFormat);
        DateTime to = PyDates.Parse(a["check_out_time"], PyDates.DateFormat);
        if (a["adult_count"].Integer > 2 && a["room_count"].Integer == 1)
        {
            throw Raise("The number of adults is greater than 2. Two rooms are ordered.");
        }

        PyDict orders = db.Table("Hotel");
        foreach (KeyValuePair<string, PyValue> entry in orders)
        {
            PyDict order = entry.Value.Entries;
            if (!PyValue.Equal(order["hotel_name"], a["hotel_name"]))
            {
                continue;
            }

            DateTime bookedFrom = PyDates.Parse(order["check_in_time"], PyDates.DateFormat);
            DateTime bookedTo = PyDates.Parse(order["check_out_time"], PyDates.DateFormat);
            if ((from >= bookedFrom && from < bookedTo) || (to > bookedFrom && to <= bookedTo))
            {
                throw Raise("The room is not available.");
            }
        }

        string id = PyText.Str(PyValue.Of(orders.Count + 1L));
        orders[id] = PyValue.Of(a);
        return PyValue.Of(id);
    }
}
