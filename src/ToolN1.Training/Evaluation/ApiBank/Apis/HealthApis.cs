using ToolN1.Training.Evaluation.Python;
using static ToolN1.Training.Evaluation.ApiBank.Apis.PyArguments;

namespace ToolN1.Training.Evaluation.ApiBank.Apis;

/// <summary>Hospital appointments, health records and symptoms.</summary>
internal static class HealthApis
{
    public static IEnumerable<SimulatedApi> All { get; } =
    [
        new("AppointmentRegistration", "patient_name:str date:str doctor_name:str", Register, IsSameAppointment),
        new("CancelRegistration", "appointment_id:str", Cancel, IsSameCancellation),
        new("ModifyRegistration", "appointment_id:str new_appointment_date?:str new_appointment_doctor?:str", Modify, IsSameModification),
        new("QueryRegistration", "patient_name:str date:str", QueryRegistration, IsSameQuery),
        new("QueryHealthData", "user_id:str start_time:str end_time:str", QueryHealthData, IsSameSpan),
        new("RecordHealthData", "user_id:str time:str health_data?:list", RecordHealthData, IsSameRecord),
        new("SymptomSearch", "symptom:str", (a, db) => Search(SymptomOf(a["symptom"]), db, "description"), IsSameSymptom),
        new("EmergencyKnowledge", "symptom:str", (a, db) => Search(EmergencyOf(a["symptom"]), db, "aid"), IsSameEmergency),
    ];

    private static PyValue Register(PyDict a, ApiDatabase db)
    {
        string patient = Strip(a["patient_name"]);
        string doctor = Strip(a["doctor_name"]);
        if (patient.Length == 0 || doctor.Length == 0)
        {
            throw Raise("Patient name or doctor name cannot be empty.");
        }

        string date = Date(a["date"]);
        PyDict appointments = db.Table("Appointments");
        foreach (KeyValuePair<string, PyValue> entry in appointments)
        {
            PyDict appointment = entry.Value.Entries;
            if (appointment["patient_name"].Is(patient) && PyDates.Normalize(appointment["date"], PyDates.DateFormat).Text == date)
            {
                throw Raise(appointment["doctor_name"].Is(doctor)
                    ? "This appointment has already been registered."
                    : "This patient has already been registered in this day.");
            }
        }

        // The original draws a random id and its comparison ignores it; ours is the same in every run.
        long id = 10_000_000;
        while (appointments.ContainsKey(PyText.Str(PyValue.Of(id))))
        {
            id++;
        }

        string key = PyText.Str(PyValue.Of(id));
        appointments[key] = PyValue.Of(new PyDict { ["patient_name"] = PyValue.Of(patient), ["date"] = PyValue.Of(date), ["doctor_name"] = PyValue.Of(doctor) });
        return PyValue.Of(key);
    }

    private static bool IsSameAppointment(ApiResult response, ApiResult truth)
    {
        bool samePatient = Same(Strip, response, truth, "patient_name");
        bool sameDate = SameDate(response, truth, "date", PyDates.DateFormat);
        return samePatient && sameDate && Same(Strip, response, truth, "doctor_name")
            && !(truth.Output.IsNone && !response.Output.IsNone) && ApiResult.SameException(response, truth);
    }

    private static PyValue Cancel(PyDict a, ApiDatabase db) =>
        db.Table("Appointments").Remove(Strip(a["appointment_id"])) ? Success : throw Raise("The appointment ID is incorrect.");

    private static bool IsSameCancellation(ApiResult response, ApiResult truth) =>
        Same(Strip, response, truth, "appointment_id") && ApiResult.SameOutcome(response, truth);

    private static PyValue Modify(PyDict a, ApiDatabase db)
    {
        if (!db.Table("Appointments").TryGetValue(Strip(a["appointment_id"]), out PyValue? found))
        {
            throw Raise("The appointment ID does not exist.");
        }

        PyDict appointment = found.Entries;
        (string? date, PyException? error) = a["new_appointment_date"].IsNone ? (null, null) : PyDates.Normalize(a["new_appointment_date"], PyDates.DateFormat);
        string? doctor = a["new_appointment_doctor"].IsNone ? null : Strip(a["new_appointment_doctor"]);
        if (doctor is { Length: 0 })
        {
            throw Raise("Fail because the doctor name is empty.");
        }

        if (error is not null)
        {
            throw error;
        }

        bool sameDate = date is not null && appointment["date"].Is(date);
        bool sameDoctor = doctor is not null && appointment["doctor_name"].Is(doctor);
        if ((date is null && doctor is null) || (sameDate && sameDoctor))
        {
            throw Raise("Fail because no modification is made.");
        }

        if (sameDate || sameDoctor)
        {
            throw Raise(sameDate ? "Fail because date is not changed." : "Fail because doctor is not changed.");
        }

        appointment["date"] = date is null ? appointment["date"] : PyValue.Of(date);
        appointment["doctor_name"] = doctor is null ? appointment["doctor_name"] : PyValue.Of(doctor);
        return Success;
    }

    private static bool IsSameModification(ApiResult response, ApiResult truth)
    {
        bool sameDate = SameOptional("new_appointment_date", () => SameDate(response, truth, "new_appointment_date", PyDates.DateFormat));
        bool sameDoctor = SameOptional("new_appointment_doctor", () => Same(Strip, response, truth, "new_appointment_doctor"));

        // The outcome comes before the id, so an id that is no string is a wrong call and no crash.
        return ApiResult.SameOutcome(response, truth) && sameDate && sameDoctor && Same(Strip, response, truth, "appointment_id");

        bool SameOptional(string name, Func<bool> compare) => response.Argument(name).IsNone || truth.Argument(name).IsNone
            ? response.Argument(name).IsNone && truth.Argument(name).IsNone
            : compare();
    }

    private static PyValue QueryRegistration(PyDict a, ApiDatabase db)
    {
        string patient = Strip(a["patient_name"]);
        string date = Date(a["date"]);
        PyDict found = [];
        foreach (KeyValuePair<string, PyValue> entry in db.Table("Appointments"))
        {
            if (entry.Value.Entries["patient_name"].Is(patient) && PyDates.Normalize(entry.Value.Entries["date"], PyDates.DateFormat).Text == date)
            {
                found[entry.Key] = entry.Value;
            }
        }

        return found.Count > 0 ? PyValue.Of(found) : throw Raise("No appointments found.");
    }

    private static bool IsSameQuery(ApiResult response, ApiResult truth)
    {
        bool samePatient = Same(Strip, response, truth, "patient_name");
        return SameDate(response, truth, "date", PyDates.DateFormat) && samePatient && ApiResult.SameOutcome(response, truth);
    }

    private static PyValue QueryHealthData(PyDict a, ApiDatabase db)
    {
        string user = UpperStrip(a["user_id"]);
        (string? start, PyException? startError) = PyDates.Normalize(a["start_time"], PyDates.TimeFormat);
        (string? end, PyException? endError) = PyDates.Normalize(a["end_time"], PyDates.TimeFormat);
        if (user.Length == 0)
        {
            throw Raise("The user id cannot be empty.");
        }

        if ((startError ?? endError) is PyException error)
        {
            throw startError is not null && endError is not null ? Raise($"{startError.Message}; {endError.Message}") : error;
        }

        DateTime from = PyDates.Parse(start!, PyDates.TimeFormat);
        DateTime to = PyDates.Parse(end!, PyDates.TimeFormat);
        if (from > to)
        {
            throw Raise("The start time cannot be later than the end time.");
        }

        if (!db.Table("HealthData").TryGetValue(user, out PyValue? records))
        {
            throw Raise("The user id does not exist.");
        }

        List<PyValue> found = records.Items.FindAll(record => PyDates.Parse(record.Entries["time"], PyDates.TimeFormat) is DateTime time && time >= from && time <= to);
        return found.Count > 0 ? PyValue.Of(found) : throw Raise("There is no health data in the given time span.");
    }

    private static bool IsSameSpan(ApiResult response, ApiResult truth)
    {
        bool sameUser = Same(UpperStrip, response, truth, "user_id");
        bool sameStart = SameDate(response, truth, "start_time", PyDates.TimeFormat);
        return SameDate(response, truth, "end_time", PyDates.TimeFormat) && sameStart && sameUser && ApiResult.SameOutcome(response, truth);
    }

    private static PyValue RecordHealthData(PyDict a, ApiDatabase db)
    {
        string user = UpperStrip(a["user_id"]);
        if (user.Length == 0)
        {
            throw Raise("The user id cannot be empty.");
        }

        PyValue time = PyValue.Of(Time(a["time"]));
        PyValue data = a["health_data"];
        if (data.Kind is not (PyKind.None or PyKind.List or PyKind.Str or PyKind.Dict))
        {
            throw new PyException("TypeError", $"object of type '{data.TypeName}' has no len()");
        }

        if (!data.IsTruthy)
        {
            throw Raise("The health data cannot be empty.");
        }

        // A string iterates over its characters and an object over its keys; neither has a name.
        List<PyValue> items = data.Kind == PyKind.List ? data.Items : throw Raise("The health data has invalid format.");
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (PyValue item in items)
        {
            if (item.Kind != PyKind.Dict || !item.Entries.TryGetValue("name", out PyValue? name))
            {
                throw Raise("The health data has invalid format.");
            }

            if (!names.Add(PyText.Repr(name)))
            {
                throw Raise("The health data cannot contain duplicate items.");
            }
        }

        PyDict table = db.Table("HealthData");
        if (!table.TryGetValue(user, out PyValue? records))
        {
            table[user] = records = PyValue.Of(new List<PyValue>());
        }

        PyValue? record = records.Items.FindLast(candidate => PyValue.Equal(candidate.Entries["time"], time));
        if (record is null)
        {
            record = PyValue.Of(new PyDict { ["time"] = time });
            records.Items.Add(record);
        }

        foreach (PyValue item in items)
        {
            record.Entries[PyText.Str(item.Entries["name"])] = item.Entries["value"];
        }

        return Success;
    }

    /// <summary>The recorded values are not compared, only that they were well formed.</summary>
    private static bool IsSameRecord(ApiResult response, ApiResult truth)
    {
        bool sameTime = SameDate(response, truth, "time", PyDates.TimeFormat);

        // The outcome comes before the id, so an id that is no string is a wrong call and no crash.
        return sameTime && ApiResult.SameOutcome(response, truth) && Same(UpperStrip, response, truth, "user_id");
    }

    private static string SymptomOf(PyValue value) => StripLower(value) is { Length: > 0 } symptom ? symptom : throw Raise("The symptom cannot be empty.");

    /// <summary>Quirk: for an empty symptom the original calls <c>lower()</c> on an exception object.</summary>
    private static string EmergencyOf(PyValue value) => StripLower(value) is { Length: > 0 } symptom
        ? symptom
        : throw new PyException("AttributeError", "'Exception' object has no attribute 'lower'");

    private static PyValue Search(string symptom, ApiDatabase db, string field) =>
        db.Table("Symptom").TryGetValue(symptom, out PyValue? found)
            ? PyValue.Of(found.Items.ConvertAll(item => PyValue.Of(new PyDict { ["name"] = item.Entries["name"], [field] = item.Entries[field] })))
            : throw Raise("The symptom does not exist.");

    private static bool IsSameSymptom(ApiResult response, ApiResult truth) => Same(SymptomOf, response, truth, "symptom") && ApiResult.SameOutcome(response, truth);

    private static bool IsSameEmergency(ApiResult response, ApiResult truth) => Same(EmergencyOf, response, truth, "symptom") && ApiResult.SameOutcome(response, truth);

    private static bool Same(Func<PyValue, string> normalize, ApiResult response, ApiResult truth, string argument) =>
        string.Equals(normalize(response.Argument(argument)), normalize(truth.Argument(argument)), StringComparison.Ordinal);

    /// <summary>Equal after parsing; a date that does not parse equals nothing.</summary>
    private static bool SameDate(ApiResult response, ApiResult truth, string argument, string format)
    {
        string? ours = PyDates.Normalize(response.Argument(argument), format).Text;
        string? theirs = PyDates.Normalize(truth.Argument(argument), format).Text;
        return ours is not null && string.Equals(ours, theirs, StringComparison.Ordinal);
    }

    private static string Date(PyValue value) => PyDates.Normalize(value, PyDates.DateFormat) is (string text, _) ? text : throw PyDates.Normalize(value, PyDates.DateFormat).Error!;

    private static string Time(PyValue value) => PyDates.Normalize(value, PyDates.TimeFormat) is (string text, _) ? text : throw PyDates.Normalize(value, PyDates.TimeFormat).Error!;
}
