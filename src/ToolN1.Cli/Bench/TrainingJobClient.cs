using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;

namespace ToolN1.Cli.Bench;

/// <summary>A training job on a server, over HTTP, and the turns that it takes.</summary>
/// <param name="http">Speaks to the server with an admin key; stays the caller's.</param>
internal sealed class TrainingJobClient(HttpClient http)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private string _id = "";

    /// <summary>Uploads rows, starts a job that is far longer than a measurement, and waits until it trains.</summary>
    /// <param name="model">The model that it starts from.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="method"><c>supervised</c>, or <c>reinforcement</c> with the built-in reward.</param>
    /// <param name="liveShare">The job's live_share; the server's where null.</param>
    /// <param name="cancellationToken">Ends the wait; the job goes on.</param>
    /// <exception cref="HttpRequestException">The server refused; says why.</exception>
    public async Task StartAsync(string model, FileInfo rows, string method, double? liveShare, CancellationToken cancellationToken)
    {
        using MultipartFormDataContent form = new() { { new StringContent("fine-tune"), "purpose" } };
        form.Add(new StreamContent(rows.OpenRead()), "file", rows.Name);
        string file;
        using (JsonDocument uploaded = await ReadAsync(await http.PostAsync(new Uri("v1/files", UriKind.Relative), form, cancellationToken), cancellationToken))
        {
            file = uploaded.RootElement.GetProperty("id").GetString()!;
        }

        Dictionary<string, object> hyperparameters = new() { ["n_epochs"] = 1000 };
        if (liveShare is double share)
        {
            hyperparameters["live_share"] = share;
        }

        if (method == "reinforcement")
        {
            // It trains on every group, and soon: turns are to come whatever the model earns and says.
            hyperparameters["loss"] = new { drop_uniform_groups = false };
            hyperparameters["max_response_tokens"] = 192;
        }

        using (JsonDocument job = await PostAsync(
            "v1/fine_tuning/jobs",
            new Dictionary<string, object>
            {
                ["model"] = model,
                ["training_file"] = file,
                ["method"] = new Dictionary<string, object> { ["type"] = method, [method] = new { hyperparameters } },
            },
            cancellationToken))
        {
            _id = job.RootElement.GetProperty("id").GetString()!;
        }

        while (await StepAsync(cancellationToken) < 1)
        {
            await Task.Delay(Pause, cancellationToken);
        }
    }

    /// <summary>The job's step.</summary>
    /// <exception cref="HttpRequestException">The job has ended.</exception>
    public async Task<int> StepAsync(CancellationToken cancellationToken)
    {
        using JsonDocument job = await ReadAsync(await http.GetAsync(new Uri("v1/fine_tuning/jobs/" + _id, UriKind.Relative), cancellationToken), cancellationToken);
        string status = job.RootElement.GetProperty("status").GetString()!;
        return status is "validating_files" or "queued" or "running"
            ? job.RootElement.GetProperty("step").GetInt32()
            : throw new HttpRequestException($"The job is '{status}' while it should train: {job.RootElement.GetProperty("error").GetRawText()}");
    }

    /// <summary>Ends the job.</summary>
    public async Task CancelAsync(CancellationToken cancellationToken) =>
        (await PostAsync($"v1/fine_tuning/jobs/{_id}/cancel", new Dictionary<string, object>(), cancellationToken)).Dispose();

    /// <summary>Turns taken since the server's start, and how long they took together.</summary>
    public async Task<(double Count, double Milliseconds)> TurnsAsync(CancellationToken cancellationToken)
    {
        string[] metrics = (await http.GetStringAsync(new Uri("metrics", UriKind.Relative), cancellationToken)).Split('\n');
        return (Value(metrics, "tooln1_engine_turns_total"), Value(metrics, "tooln1_engine_turn_milliseconds_total"));
    }

    /// <summary>A line is <c>name{labels} value [time]</c>.</summary>
    private static double Value(string[] metrics, string name)
    {
        string line = metrics.FirstOrDefault(text => text.StartsWith(name, StringComparison.Ordinal)) ?? throw new HttpRequestException($"The server has no metric {name}.");
        return double.Parse(line[(line.LastIndexOf('}') + 1)..].Replace(name, "", StringComparison.Ordinal).Trim().Split(' ')[0], CultureInfo.InvariantCulture);
    }

    private async Task<JsonDocument> PostAsync(string path, Dictionary<string, object> body, CancellationToken cancellationToken) =>
        await ReadAsync(await http.PostAsJsonAsync(new Uri(path, UriKind.Relative), body, cancellationToken), cancellationToken);

    private static async Task<JsonDocument> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using (response)
        {
            string text = await response.Content.ReadAsStringAsync(cancellationToken);
            return response.IsSuccessStatusCode
                ? JsonDocument.Parse(text)
                : throw new HttpRequestException($"{response.RequestMessage!.RequestUri!.AbsolutePath}: HTTP {(int)response.StatusCode}: {text}");
        }
    }
}
