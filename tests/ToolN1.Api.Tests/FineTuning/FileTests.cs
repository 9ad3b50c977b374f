using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using ToolN1.Api.Tests.Support;
using ToolN1.TestSupport;

namespace ToolN1.Api.Tests.FineTuning;

public sealed class FileTests
{
    private const string OpenAiRow =
        """{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Weather in Oslo?"},{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"w","arguments":"{\"city\":\"Oslo\"}"}}]}],"tools":[{"type":"function","function":{"name":"w","strict":true,"parameters":{"type":"object"}}}]}""";

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Upload_BothFormats_ComesBackByteForByte(string provider)
    {
        using TrainingServer server = new(settings: await TestDatabase.CreateAsync(provider));
        string content = TrainingServer.Row + "\n\n" + OpenAiRow + "\r\n";
        using HttpResponseMessage uploaded = await server.UploadAsync(content);
        JsonNode file = JsonNode.Parse(await uploaded.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        string id = file["id"]!.GetValue<string>();

        Assert.Equal(("file", "rows.jsonl", "fine-tune", "processed", 2, content.Length), (
            file["object"]!.GetValue<string>(), file["filename"]!.GetValue<string>(), file["purpose"]!.GetValue<string>(), file["status"]!.GetValue<string>(), file["rows"]!.GetValue<int>(), file["bytes"]!.GetValue<int>()));
        Assert.Equal(content, await server.Client.GetStringAsync($"/v1/files/{id}/content", TestContext.Current.CancellationToken));
        Assert.Equal(file.ToJsonString(), (await server.GetAsync("/v1/files/" + id)).ToJsonString());
        Assert.True(File.Exists(Path.Combine(server.DataDirectory, "files", id, "manifest.json")));
    }

    [Theory]
    [InlineData("{\"a\":1}", "line 1: the row has neither")]
    [InlineData("[]", "line 1: the row is not an object")]
    [InlineData("x", "line 1")]
    [InlineData("", "no row")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}", "nothing to learn")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"a\",\"nmae\":1}]}", "unknown field 'messages[0].nmae'")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"\\ud800\"}]}", "surrogate")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"[1]\"}}]}]}", "messages[1].tool_calls[0].function.arguments")]
    [InlineData("{\"answer\":[],\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}", "'tools' is missing")]
    public async Task Upload_NotADataset_IsRefusedWithLinesAndLeavesNothing(string line, string expected)
    {
        using TrainingServer server = new();
        using HttpResponseMessage response = await server.UploadAsync(line);
        JsonNode error = await Json.ErrorAsync(response, 400);

        Assert.Contains(expected, error["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(("file", "invalid_file"), (error["param"]!.GetValue<string>(), error["code"]!.GetValue<string>()));
        Assert.Empty((await server.GetAsync("/v1/files"))["data"]!.AsArray());
        Assert.Empty(Directory.GetDirectories(Path.Combine(server.DataDirectory, "files")));
    }

    [Fact]
    public async Task Upload_RowWhoseAnswerCallsAToolThatIsNotOffered_IsRefusedByLineAndName()
    {
        using TrainingServer server = new();
        using HttpResponseMessage response = await server.UploadAsync($"{TrainingServer.Row}\n{TrainingServer.Row.Replace("[{\"name\": \"f\", \"arguments\"", "[{\"name\": \"g\", \"arguments\"", StringComparison.Ordinal)}\n");
        JsonNode error = await Json.ErrorAsync(response, 400);

        Assert.Equal("invalid_file", error["code"]!.GetValue<string>());
        Assert.Contains("line 2: the answer calls 'g'", error["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(Path.Combine(server.DataDirectory, "files")));
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Upload_FaultsOnSeveralLines_AreToldTogether(string provider)
    {
        using TrainingServer server = new(settings: await TestDatabase.CreateAsync(provider));
        using HttpResponseMessage response = await server.UploadAsync($"{TrainingServer.Row}\nx\n{TrainingServer.Row}\n[]\n");
        string message = (await Json.ErrorAsync(response, 400))["message"]!.GetValue<string>();

        Assert.Contains("line 2:", message, StringComparison.Ordinal);
        Assert.Contains("line 4:", message, StringComparison.Ordinal);
        Assert.DoesNotContain("line 3:", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Upload_ThatTheDatabaseDoesNotTake_LeavesNothing()
    {
        using TrainingServer server = new();
        await server.ExecuteAsync("ALTER TABLE files RENAME TO elsewhere");
        using HttpResponseMessage response = await server.UploadAsync(TrainingServer.Row);
        await server.ExecuteAsync("ALTER TABLE elsewhere RENAME TO files");

        Assert.True((int)response.StatusCode >= 500, $"{response.StatusCode}");
        Assert.Empty(Directory.GetDirectories(Path.Combine(server.DataDirectory, "files")));
        await server.FileAsync();
    }

    [Fact]
    public async Task Upload_WrongForm_NamesTheField()
    {
        using TrainingServer server = new();
        using HttpResponseMessage purpose = await server.UploadAsync(TrainingServer.Row, purpose: "assistants");
        using HttpResponseMessage field = await server.UploadAsync(TrainingServer.Row, field: "fiel");
        using HttpResponseMessage more = await server.UploadAsync(TrainingServer.Row, more: "expires_after");
        using HttpResponseMessage json = await server.PostAsync("/v1/files", "{}");

        Assert.Equal("purpose", (await Json.ErrorAsync(purpose, 400))["param"]!.GetValue<string>());
        Assert.Equal("fiel", (await Json.ErrorAsync(field, 400))["param"]!.GetValue<string>());
        Assert.Equal("expires_after", (await Json.ErrorAsync(more, 400))["param"]!.GetValue<string>());
        await Json.ErrorAsync(json, 415);
        Assert.Empty((await server.GetAsync("/v1/files"))["data"]!.AsArray());
    }

    [Fact]
    public async Task Upload_TruncatedForm_IsABadRequest()
    {
        using TrainingServer server = new();
        using ByteArrayContent content = new("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nabc"u8.ToArray());
        content.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=b");
        using HttpResponseMessage response = await server.Client.PostAsync("/v1/files", content, TestContext.Current.CancellationToken);

        await Json.ErrorAsync(response, 400);
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task List_Pages_InBothOrders(string provider)
    {
        using TrainingServer server = new(settings: await TestDatabase.CreateAsync(provider));
        string[] ids = [await server.FileAsync(), await server.FileAsync(), await server.FileAsync()];

        JsonNode first = await server.GetAsync("/v1/files?limit=2");
        JsonNode second = await server.GetAsync($"/v1/files?limit=2&after={first["last_id"]!.GetValue<string>()}");
        JsonNode oldest = await server.GetAsync("/v1/files?limit=1&order=asc&purpose=fine-tune");

        Assert.Equal([ids[2], ids[1]], Ids(first));
        Assert.True(first["has_more"]!.GetValue<bool>());
        Assert.Equal([ids[0]], Ids(second));
        Assert.False(second["has_more"]!.GetValue<bool>());
        Assert.Equal([ids[0]], Ids(oldest));
    }

    [Theory]
    [InlineData("/v1/files?page=2", "page")]
    [InlineData("/v1/files?limit=0", "limit")]
    [InlineData("/v1/files?limit=x", "limit")]
    [InlineData("/v1/files?order=up", "order")]
    [InlineData("/v1/files?purpose=batch", "purpose")]
    [InlineData("/v1/fine_tuning/jobs?limit=101", "limit")]
    [InlineData("/admin/audit?before=1", "before")]
    [InlineData("/admin/captures?limit=101", "limit")]
    [InlineData("/admin/captures?status=new", "status")]
    [InlineData("/admin/captures?user=1", "user")]
    [InlineData("/admin/audit?after=x", "after")]
    [InlineData("/v1/files?after=file-none", "after")]
    [InlineData("/v1/fine_tuning/jobs?after=ftjob-none", "after")]
    [InlineData("/admin/training/jobs?after=ftjob-none", "after")]
    [InlineData("/admin/captures?after=capture-none", "after")]
    [InlineData("/admin/evaluations?after=none", "after")]
    [InlineData("/admin/models?limit=1", "limit")]
    [InlineData("/v1/files/file-none?expand=1", "expand")]
    [InlineData("/v1/files/file-none/content?expand=1", "expand")]
    [InlineData("/v1/fine_tuning/jobs/ftjob-none?expand=1", "expand")]
    [InlineData("/v1/models?limit=1", "limit")]
    [InlineData("/v1/files?limit=1&limit=2", "limit")]
    public async Task Query_UnknownOrWrong_IsRefusedByName(string route, string param)
    {
        using TrainingServer server = new();
        using HttpResponseMessage response = await server.Client.GetAsync(route, TestContext.Current.CancellationToken);

        Assert.Equal(param, (await Json.ErrorAsync(response, 400))["param"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("POST", "/v1/fine_tuning/jobs")]
    [InlineData("POST", "/v1/chat/completions")]
    [InlineData("POST", "/admin/models/rollback")]
    [InlineData("DELETE", "/v1/files/file-none")]
    [InlineData("PATCH", "/admin/training/jobs/ftjob-none")]
    public async Task Query_UnknownBesideAnotherMethod_IsRefusedByName(string method, string route)
    {
        using TrainingServer server = new();
        using HttpRequestMessage request = new(new HttpMethod(method), route + "?expand=1");
        using HttpResponseMessage response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);

        JsonNode error = await Json.ErrorAsync(response, 400);
        Assert.Equal(("expand", "unknown_parameter"), (error["param"]!.GetValue<string>(), error["code"]!.GetValue<string>()));
    }

    [Fact]
    public async Task List_AfterAFileThatWasDeleted_IsRefusedByName()
    {
        using TrainingServer server = new();
        string id = await server.FileAsync();
        await server.FileAsync();
        using HttpResponseMessage deleted = await server.Client.DeleteAsync("/v1/files/" + id, TestContext.Current.CancellationToken);
        using HttpResponseMessage response = await server.Client.GetAsync("/v1/files?after=" + id, TestContext.Current.CancellationToken);

        Assert.Equal("after", (await Json.ErrorAsync(response, 400))["param"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Delete_File_IsGone(string provider)
    {
        using TrainingServer server = new(settings: await TestDatabase.CreateAsync(provider));
        string id = await server.FileAsync();
        using HttpResponseMessage deleted = await server.Client.DeleteAsync("/v1/files/" + id, TestContext.Current.CancellationToken);
        using HttpResponseMessage again = await server.Client.DeleteAsync("/v1/files/" + id, TestContext.Current.CancellationToken);
        using HttpResponseMessage content = await server.Client.GetAsync($"/v1/files/{id}/content", TestContext.Current.CancellationToken);

        Assert.Equal($$"""{"id":"{{id}}","object":"file","deleted":true}""", await deleted.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        await Json.ErrorAsync(again, 404);
        await Json.ErrorAsync(content, 404);
        Assert.False(Directory.Exists(Path.Combine(server.DataDirectory, "files", id)));
    }

    [Fact]
    public async Task Start_AfterAKill_SweepsWhatIsHalfWrittenAndWhatNobodyKnows()
    {
        using TemporaryFolder data = new("sweep");
        string id;
        using (TrainingServer server = new(dataDirectory: data.Path))
        {
            id = await server.FileAsync();
        }

        // An upload that was broken off, a file whose row is gone, a checkpoint that the disk had no room for.
        string[] leftovers = ["files/file-1.tmp", "files/file-2", "jobs/ftjob-1/checkpoints/step-00000003.tmp", "models/job-1-step-3.tmp"];
        foreach (string leftover in leftovers)
        {
            await File.WriteAllTextAsync(Path.Combine(Directory.CreateDirectory(Path.Combine(data.Path, leftover)).FullName, "content.jsonl"), "x", TestContext.Current.CancellationToken);
        }

        using TrainingServer next = new(dataDirectory: data.Path);
        Assert.All(leftovers, leftover => Assert.False(Directory.Exists(Path.Combine(data.Path, leftover)), leftover));
        Assert.Equal(TrainingServer.Row, await next.Client.GetStringAsync($"/v1/files/{id}/content", TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("/v1/files")]
    [InlineData("/v1/fine_tuning/jobs")]
    [InlineData("/admin/models")]
    [InlineData("/admin/engine")]
    [InlineData("/admin/audit")]
    [InlineData("/admin/captures")]
    public async Task AdminRoutes_NeedTheAdminKey(string route)
    {
        using TrainingServer server = new();
        server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "api-key");
        using HttpResponseMessage other = await server.Client.GetAsync(route, TestContext.Current.CancellationToken);
        using ApiServer open = new();
        using HttpResponseMessage none = await open.Client.GetAsync(route, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Forbidden, other.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, none.StatusCode);
        Assert.Empty(Directory.GetFileSystemEntries(open.DataDirectory));
    }

    private static string[] Ids(JsonNode list) => [.. list["data"]!.AsArray().Select(item => item!["id"]!.GetValue<string>())];
}
