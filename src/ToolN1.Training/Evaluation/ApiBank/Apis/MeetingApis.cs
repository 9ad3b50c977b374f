using ToolN1.Training.Evaluation.Python;
using static ToolN1.Training.Evaluation.ApiBank.Apis.PyArguments;

namespace ToolN1.Training.Evaluation.ApiBank.Apis;

/// <summary>Meetings.</summary>
internal static class MeetingApis
{
    private const string Signature = "token:str meeting_topic:str start_time:str end_time:str location:str attendees:list(str)";

    public static IEnumerable<SimulatedApi> All { get; } =
    [
        new("AddMeeting", Signature, AddMeeting, IsSameMeeting),
        // Quirk: the comparison asks for an argument "time" that meetings do not have, so a right deletion is a KeyError.
        new("DeleteMeeting", Signature, DeleteMeeting, CalendarApis.IsSameDeletion),
        new("ModifyMeeting", Signature, ModifyMeeting, IsSameMeeting),
        new("QueryMeeting", Signature, (a, db) => Find(a, db) is string key ? db.Table("Meeting")[key] : NoMeeting(a, PyValue.Of(double.NaN)), IsSameMeeting),
    ];

    private static bool IsSameMeeting(ApiResult response, ApiResult truth)
    {
        bool similar = WordsOverlap(response.Argument("meeting_topic"), truth.Argument("meeting_topic"));
        return similar && PyValue.Equal(WithoutTopic(response), WithoutTopic(truth)) && ApiResult.SameOutcome(response, truth);
    }

    private static PyValue WithoutTopic(ApiResult result)
    {
        PyValue input = result.Input.Clone();
        input.Entries.Remove("meeting_topic");
        return input;
    }

    private static PyValue AddMeeting(PyDict a, ApiDatabase db)
    {
        PyDates.Parse(a["start_time"], PyDates.TimeFormat);
        PyDates.Parse(a["end_time"], PyDates.TimeFormat);
        if (Strip(a["meeting_topic"]).Length == 0)
        {
            throw Raise("Meeting Topic should not be null");
        }

        CalendarApis.Add(db.Table("Meeting"), db.CheckToken(a["token"]), a, "meeting_topic", "start_time", "end_time", "location", "attendees");
        return Success;
    }

    private static PyValue DeleteMeeting(PyDict a, ApiDatabase db)
    {
        if (Find(a, db) is not string key)
        {
            return NoMeeting(a, Success);
        }

        db.Table("Meeting").Remove(key);
        return Success;
    }

    private static PyValue ModifyMeeting(PyDict a, ApiDatabase db)
    {
        if (Find(a, db) is not string key)
        {
            return NoMeeting(a, Success);
        }

        PyDict record = db.Table("Meeting")[key].Entries;
        if (a["meeting_topic"].IsTruthy)
        {
            record["meeting_topic"] = a["meeting_topic"];
        }

        if (a["start_time"].IsTruthy)
        {
            record["start_time"] = a["start_time"];
            record["end_time"] = a["end_time"];
        }

        return Success;
    }

    private static string? Find(PyDict a, ApiDatabase db)
    {
        foreach (string time in (string[])["start_time", "end_time"])
        {
            if (a[time].IsTruthy)
            {
                PyDates.Parse(a[time], PyDates.TimeFormat);
            }
        }

        if (Strip(a["meeting_topic"]).Length == 0 && !a["start_time"].IsTruthy)
        {
            throw Raise("Meeting Topic and start_time should not be null both");
        }

        return CalendarApis.Find(db.Table("Meeting"), db.CheckToken(a["token"]), a, "meeting_topic", "start_time");
    }

    private static PyValue NoMeeting(PyDict a, PyValue otherwise) =>
        a["meeting_topic"].IsTruthy ? throw Raise($"You have no meeting about {PyText.Str(a["meeting_topic"])}")
        : a["start_time"].IsTruthy ? throw Raise($"You have no meeting at time : {PyText.Str(a["start_time"])}")
        : otherwise;
}
