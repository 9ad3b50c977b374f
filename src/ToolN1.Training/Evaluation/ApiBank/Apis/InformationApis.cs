using System.Text.RegularExpressions;
using ToolN1.Training.Evaluation.Python;
using static ToolN1.Training.Evaluation.ApiBank.Apis.PyArguments;

namespace ToolN1.Training.Evaluation.ApiBank.Apis;

/// <summary>Lookups, recognisers and other APIs that change nothing.</summary>
internal static partial class InformationApis
{
    public static IEnumerable<SimulatedApi> All { get; } =
    [
        new("GetToday", "", (_, _) => PyValue.Of("2023-03-31"), (r, _) => !r.Output.IsNone && r.Exception.IsNone && r.Input.IsNone) { RecordsNoInput = true },
        new("Calculator", "formula:str", (a, _) => Formula.Evaluate(a["formula"]), IsSameFormula),
        new("QueryStock", "stock_code:str date:str", QueryStock, IsSameStock),
        new("QueryHistoryToday", "date:str", QueryHistoryToday, IsSameDay),
        new("Wiki", "keyword:str", Wiki, (r, t) => ApiResult.SameOutcome(r, t)),
        new("Dictionary", "keyword:str", (a, db) => db.Replay("Dictionary", Keyword(a["keyword"])) ?? throw Raise("Failed."), (r, t) => ApiResult.SameOutcome(r, t)),
        new("Translate", "src:str src_lang*:str tgt_lang*:str", Translate, IsSameTranslation),
        new("SearchEngine", "keyword:str", (a, db) => DocumentSearch.Search(StripLower(a["keyword"]), db.ReadOnly("SearchEngine").Entries), IsSameSearch),
        new("DocumentQA", "url:str question:str", DocumentQA, IsSameQuestion),
        new("ImageCaption", "url:str", ImageCaption, SimulatedApi.AllEqual),
        new("SpeechRecognition", "url:str", SpeechRecognition, SimulatedApi.AllEqual),
        new("PlayMusic", "music_name:str", PlayMusic, ApiResult.SameOutput),
        new("SendEmail", "receiver:str subject:str content:str", SendEmail, IsSameEmail),
    ];

    /// <summary>Under which a network API's recorded result is replayed.</summary>
    public static string? ReplayKey(string api, PyDict input) => api switch
    {
        "Dictionary" => Keyword(input["keyword"]),
        "Translate" => TranslationKey(input),
        _ => null,
    };

    private static string Keyword(PyValue value) => value.IsString
        ? PyText.Lower(PyText.Strip(value.Text.Replace('_', ' ')))
        : throw PyException.NoAttribute(value, "replace");

    private static string TranslationKey(PyDict a)
    {
        PyValue language = a.TryGetValue("tgt_lang", out PyValue? given) ? given : PyValue.Of("en");
        return language.IsString ? PyText.Repr(a["src"]) + "\n" + PyText.Lower(language.Text) : throw PyException.NoAttribute(language, "lower");
    }

    private static PyValue Translate(PyDict a, ApiDatabase db) =>
        db.Replay("Translate", TranslationKey(a)) ?? throw Raise("Language not supported.");

    private static bool IsSameTranslation(ApiResult response, ApiResult truth) =>
        PyValue.Equal(response.Argument("src"), truth.Argument("src")) && ApiResult.SameOutcome(response, truth);

    private static bool IsSameFormula(ApiResult response, ApiResult truth) =>
        string.Equals(Formula.WithoutSpaces(response.Argument("formula")), Formula.WithoutSpaces(truth.Argument("formula")), StringComparison.Ordinal)
        && ApiResult.SameOutcome(response, truth);

    private static PyValue QueryStock(PyDict a, ApiDatabase db)
    {
        string code = UpperStrip(a["stock_code"]);
        (string? date, PyException? error) = PyDates.Normalize(a["date"], PyDates.DateFormat);
        if (code.Length == 0)
        {
            throw Raise("The stock code cannot be empty.");
        }

        if (error is not null)
        {
            throw error;
        }

        return !db.Table("Stock").TryGetValue(code, out PyValue? prices) ? throw Raise("The stock code does not exist.")
            : prices.Entries.TryGetValue(date!, out PyValue? price) ? price
            : throw Raise("The stock price of this date is not maintained.");
    }

    private static bool IsSameStock(ApiResult response, ApiResult truth)
    {
        bool sameCode = string.Equals(UpperStrip(response.Argument("stock_code")), UpperStrip(truth.Argument("stock_code")), StringComparison.Ordinal);
        string? ours = PyDates.Normalize(response.Argument("date"), PyDates.DateFormat).Text;
        string? theirs = PyDates.Normalize(truth.Argument("date"), PyDates.DateFormat).Text;
        return sameCode && ours is not null && string.Equals(ours, theirs, StringComparison.Ordinal) && ApiResult.SameOutcome(response, truth);
    }

    /// <summary>Month and day of a date with or without a year.</summary>
    private static string MonthAndDay(PyValue value)
    {
        string text = PyDates.PadYear(Strip(value));
        DateTime date;
        try
        {
            date = PyDates.Parse(text, PyDates.DateFormat);
        }
        catch (PyException)
        {
            date = PyDates.Parse(text, PyDates.DayFormat);
        }

        return PyDates.Write(date, PyDates.DayFormat);
    }

    private static PyValue QueryHistoryToday(PyDict a, ApiDatabase db)
    {
        if (!db.Table("History").TryGetValue(MonthAndDay(a["date"]), out PyValue? events))
        {
            throw Raise("The date is not in the database.");
        }

        return PyValue.Of(events.Items.ConvertAll(e =>
            PyValue.Of($"Title: {Strip(e.Entries["Title"])}, Date: {Strip(e.Entries["Date"])}, Description: {Strip(e.Entries["Description"])}")));
    }

    private static bool IsSameDay(ApiResult response, ApiResult truth)
    {
        try
        {
            return string.Equals(MonthAndDay(response.Argument("date")), MonthAndDay(truth.Argument("date")), StringComparison.Ordinal)
                && ApiResult.SameOutcome(response, truth);
        }
        catch (PyException e) when (e.Type == "ValueError")
        {
            return false;
        }
    }

    private static PyValue Wiki(PyDict a, ApiDatabase db) => db.ReadOnly("Wiki").Entries.TryGetValue(Keyword(a["keyword"]), out PyValue? page)
        ? PyValue.Of(new PyDict { ["url"] = page.Entries["url"], ["summary"] = page.Entries["summary"] })
        : throw Raise("Keyword not found.");

    private static bool IsSameSearch(ApiResult response, ApiResult truth)
    {
        if (!ApiResult.SameException(response, truth))
        {
            return false;
        }

        return response.Output.IsNone || truth.Output.IsNone
            ? throw new PyException("UnboundLocalError", "cannot access local variable 'response_output'")
            : PyValue.Equal(Sorted(response.Output), Sorted(truth.Output));

        static PyValue Sorted(PyValue pages) =>
            PyValue.Of(pages.Items.OrderByDescending(page => page.Entries["title"].Text + page.Entries["abstract"].Text, StringComparer.Ordinal).ToList());
    }

    private static PyValue DocumentQA(PyDict a, ApiDatabase db)
    {
        string url = Strip(a["url"]);
        if (Strip(a["question"]).Length == 0)
        {
            throw Raise("The question is empty.");
        }

        // Quirk: the questions of a document are a list of objects, in which no text is ever found.
        return db.ReadOnly("QuestionAnswering").Entries.ContainsKey(url)
            ? PyValue.Of("The question is too difficult to answer.")
            : throw Raise("The document of this url failed to be processed.");
    }

    private static bool IsSameQuestion(ApiResult response, ApiResult truth)
    {
        bool sameUrl = string.Equals(Strip(response.Argument("url")), Strip(truth.Argument("url")), StringComparison.Ordinal);
        return string.Equals(Strip(response.Argument("question")), Strip(truth.Argument("question")), StringComparison.Ordinal)
            && sameUrl && ApiResult.SameOutcome(response, truth);
    }

    private static PyValue ImageCaption(PyDict a, ApiDatabase db)
    {
        string url = Strip(a["url"]);
        if (!url.EndsWith(".jpg", StringComparison.Ordinal) && !url.EndsWith(".jpeg", StringComparison.Ordinal) && !url.EndsWith(".png", StringComparison.Ordinal))
        {
            throw Raise("The url should end with .jpg, .jpeg or .png.");
        }

        return db.ReadOnly("ImageCaptioning").Items.Find(item => item.Entries["url"].Is(url))?.Entries["caption"]
            ?? throw Raise("The image of this url failed to be processed.");
    }

    private static PyValue SpeechRecognition(PyDict a, ApiDatabase db)
    {
        string url = Strip(a["url"]);
        if (!url.EndsWith(".wav", StringComparison.Ordinal))
        {
            throw Raise("The url should end with .wav.");
        }

        return db.Table("SpeechRecognition").TryGetValue(url, out PyValue? transcript) ? transcript : throw Raise("The audio of this url failed to be processed.");
    }

    private static PyValue PlayMusic(PyDict a, ApiDatabase db)
    {
        string name = a["music_name"].IsString ? StripLower(a["music_name"]) : throw PyException.NoAttribute(a["music_name"], "lower");
        return name.Length > 0 ? PyValue.Of("music://" + name) : throw Raise("The music name cannot be empty.");
    }

    private static PyValue SendEmail(PyDict a, ApiDatabase db)
    {
        string receiver = Strip(a["receiver"]);
        string subject = Strip(a["subject"]);
        string content = Strip(a["content"]);
        return !Address().IsMatch(receiver) ? throw Raise("Email address of the receiver is invalid.")
            : subject.Length == 0 ? throw Raise("Subject cannot be empty.")
            : content.Length == 0 ? throw Raise("Content cannot be empty.")
            : Success;
    }

    private static bool IsSameEmail(ApiResult response, ApiResult truth)
    {
        bool sameReceiver = string.Equals(StripLower(response.Argument("receiver")), StripLower(truth.Argument("receiver")), StringComparison.Ordinal);
        bool sameSubject = string.Equals(Strip(response.Argument("subject")), Strip(truth.Argument("subject")), StringComparison.Ordinal);
        bool sameContent = string.Equals(Strip(response.Argument("content")), Strip(truth.Argument("content")), StringComparison.Ordinal);
        return sameReceiver && sameSubject && sameContent && ApiResult.SameOutcome(response, truth);
    }

    [GeneratedRegex(@"^[a-z0-9]+[\._]?[a-z0-9]+[@]\w+[.]\w{2,3}$")]
    private static partial Regex Address();
}
