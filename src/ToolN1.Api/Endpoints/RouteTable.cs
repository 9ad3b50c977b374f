using ToolN1.Api.Auth;
using ToolN1.Api.Contracts;
using ToolN1.Api.Contracts.FineTuning;
using ToolN1.Api.Contracts.Responses;
using ToolN1.Api.Endpoints.FineTuning;
using ToolN1.Api.OpenApi;

namespace ToolN1.Api.Endpoints;

/// <summary>Every route of the server, who may call it, and what the documentation says of it.</summary>
internal static partial class RouteTable
{
    private static readonly int[] GenerationRefusals = [400, 401, 404, 413, 415, 503];
    private static readonly int[] TokenRefusals = [400, 401, 404, 413, 415];
    private static readonly int[] AdminRefusals = [400, 401, 403, 413, 415];
    private static readonly int[] AdminReadRefusals = [400, 401, 403, 404];
    private static readonly int[] AdminWriteRefusals = [400, 401, 403, 404, 409, 413, 415];
    private static readonly (string Name, string Description)[] FileId = [("id", "The file's id.")];
    private static readonly (string Name, string Description)[] JobId = [("id", "The job's id.")];
    private static readonly (string Name, string Description) After = ("after", "Id of the last item of the page before.");
    private static readonly (string Name, string Description) Limit = ("limit", "Most items of the page.");

    /// <summary>Maps all routes.</summary>
    public static void MapToolN1(this IEndpointRouteBuilder routes)
    {
        Post<ChatCompletionEndpoint>(routes, "/v1/chat/completions", endpoint => endpoint.HandleAsync, new OperationDoc(
            "Continue a conversation",
            "The model reasons (`reasoning_content`), then answers in text or calls tools. Where tools are offered, it calls none and writes nothing, "
                + "it is asked a second time without them, so that the answer is words. With `stream: true` the answer comes as server-sent events: "
                + "the first carries the role, calls begin with index, id and name and go on with pieces of their arguments, `data: [DONE]` closes; an error after the start is an event with `error`.")
        {
            Request = ChatCompletionShape.Shape,
            Examples = names => RequestExamples.Chat(names.Model),
            Response = typeof(ChatCompletion),
            StreamedEvent = typeof(ChatCompletionChunk),
            Refusals = GenerationRefusals,
        });
        Post<ResponseEndpoint>(routes, "/v1/responses", endpoint => endpoint.HandleAsync, new OperationDoc(
            "Continue a conversation (Responses API)",
            "The part of OpenAI's Responses API that needs no memory: send the whole conversation as `input`, the output items of earlier answers as they came. "
                + "With `stream: true` the answer comes as server-sent events by name, each with `type` and `sequence_number`; "
                + "`response.completed`, `response.incomplete` or `response.failed` is the last.")
        {
            Request = ResponseShape.Shape,
            Examples = names => RequestExamples.Response(names.Model),
            Response = typeof(Response),
            StreamedEvent = typeof(ResponseEvent),
            Refusals = GenerationRefusals,
        });
        Post<CompletionEndpoint>(routes, "/v1/completions", endpoint => endpoint.HandleAsync, new OperationDoc(
            "Continue a text",
            "Continues raw text or token ids without a chat format. With `echo`, `logprobs` and `max_tokens: 0` it scores a text, as evaluation harnesses do.")
        {
            Request = CompletionShape.Shape,
            Examples = names => RequestExamples.Completion(names.Model),
            Response = typeof(Completion),
            StreamedEvent = typeof(Completion),
            Refusals = GenerationRefusals,
        });
        Get<ModelEndpoints>(routes, "/v1/models", endpoint => endpoint.ListAsync, Access.ApiKey, new OperationDoc("List the models", "The served model, which is whichever of its versions is live, and the versions that training jobs made.")
        {
            Response = typeof(ModelList),
            Refusals = [401],
        });
        Get<ModelEndpoints>(routes, "/v1/models/{*model}", endpoint => endpoint.GetAsync, Access.ApiKey, new OperationDoc("Look up a model", "By its id, which may hold slashes.")
        {
            RouteParameters = [("model", "The model's id.")],
            Response = typeof(ModelBody),
            Refusals = [401, 404],
        });
        Post<TokenizeEndpoints>(routes, "/tokenize", endpoint => endpoint.TokenizeAsync, new OperationDoc(
            "Turn text into tokens", "A raw text, or a conversation with tools as the served chat format renders it: exactly what the model would see.")
        {
            Request = TokenizeShapes.Tokenize,
            Examples = names => RequestExamples.Tokenize(names.Model),
            Response = typeof(TokenizeResponse),
            Refusals = TokenRefusals,
        });
        Post<TokenizeEndpoints>(routes, "/detokenize", endpoint => endpoint.DetokenizeAsync, new OperationDoc("Turn tokens into text", "Control tokens are written out.")
        {
            Request = TokenizeShapes.Detokenize,
            Examples = names => RequestExamples.Detokenize(names.Model),
            Response = typeof(DetokenizeResponse),
            Refusals = TokenRefusals,
        });
        MapGraders(routes);
        MapEvaluations(routes);
        Get<HealthEndpoints>(routes, "/health/live", endpoint => endpoint.LiveAsync, Access.Public, new OperationDoc("Is the process alive?", "For liveness probes.")
        {
            Response = typeof(HealthBody),
        });
        Get<HealthEndpoints>(routes, "/health/ready", endpoint => endpoint.ReadyAsync, Access.Public, new OperationDoc("Does the model answer?", "For readiness probes: 200 once the model has answered a first token, 503 before and while stopping.")
        {
            Response = typeof(HealthBody),
            Refusals = [503],
        });
        MapFiles(routes);
        MapJobs(routes);
        MapModels(routes);
        AdminGet<EngineEndpoint>(routes, "/admin/engine", endpoint => endpoint.GetAsync, new OperationDoc(
            "Look at the engine",
            "The state of this moment: what is served and on what, which versions are in memory, sequences running and waiting with their limits, cache blocks, and counters since the start. `/metrics` has the same figures for Prometheus.")
        {
            Response = typeof(EngineBody),
            Refusals = [401, 403],
        });
        MapCaptures(routes);
        routes.MapPrometheusScrapingEndpoint("/metrics").WithMetadata(new AccessMetadata(Access.ApiKey));
        routes.MapOpenApi("/openapi/v1.json").WithMetadata(new AccessMetadata(Access.Public));
    }

    private static void MapGraders(IEndpointRouteBuilder routes)
    {
        Post<GraderEndpoints>(routes, "/v1/fine_tuning/alpha/graders/run", endpoint => endpoint.RunAsync, new OperationDoc(
            "Run a grader",
            "Scores one output: our `tool_call`, OpenAI's `string_check` and `text_similarity`, and `multi` over these.")
        {
            Request = GraderShapes.Run,
            Examples = _ => RequestExamples.GraderRun,
            Response = typeof(GraderRunBody),
            Refusals = AdminRefusals,
        }, Access.AdminKey);
        Post<GraderEndpoints>(routes, "/v1/fine_tuning/alpha/graders/validate", endpoint => endpoint.ValidateAsync, new OperationDoc(
            "Check a grader", "Answers with the grader where it can be used; a 400 names what is wrong with it otherwise.")
        {
            Request = GraderShapes.Validate,
            Examples = _ => RequestExamples.GraderValidate,
            Response = typeof(GraderValidateBody),
            Refusals = AdminRefusals,
        }, Access.AdminKey);
    }

    private static void MapEvaluations(IEndpointRouteBuilder routes)
    {
        (string, string) id = ("evaluation", "The evaluation's id.");
        Post<EvaluationEndpoints>(routes, "/admin/evaluations", endpoint => endpoint.CreateAsync, new OperationDoc(
            "Measure the served model on a benchmark",
            "Queues an evaluation; one runs at a time, behind live requests: these start first and take its places. What is queued or running when the server stops goes on when it starts again.")
        {
            Request = EvaluationShapes.Create,
            Examples = _ => RequestExamples.Evaluation,
            Response = typeof(EvaluationBody),
            Refusals = AdminRefusals,
        }, Access.AdminKey);
        Get<EvaluationEndpoints>(routes, "/admin/evaluations", endpoint => endpoint.ListAsync, Access.AdminKey, new OperationDoc("List the evaluations", "Newest first.")
        {
            Response = typeof(EvaluationList),
            Refusals = [401, 403],
        });
        Get<EvaluationEndpoints>(routes, "/admin/evaluations/{evaluation}", endpoint => endpoint.GetAsync, Access.AdminKey, new OperationDoc("Look up an evaluation", "Its state, its progress and, once it has ended, the benchmark's figures.")
        {
            RouteParameters = [id],
            Response = typeof(EvaluationBody),
            Refusals = [401, 403, 404],
        });
        Get<EvaluationEndpoints>(routes, "/admin/evaluations/{evaluation}/events", endpoint => endpoint.EventsAsync, Access.AdminKey, new OperationDoc(
            "Follow an evaluation", "Server-sent events: all so far, then each as it comes; a comment every 15 silent seconds; `data: [DONE]` closes once the evaluation has ended; an error after the start is an event with `error`.")
        {
            RouteParameters = [id],
            Response = typeof(EvaluationEventBody),
            StreamedEvent = typeof(EvaluationEventBody),
            Refusals = [401, 403, 404],
        });
        Post<EvaluationEndpoints>(routes, "/admin/evaluations/{evaluation}/cancel", endpoint => endpoint.CancelAsync, new OperationDoc("Cancel an evaluation", "Its answers so far are kept. Does nothing to one that has ended.")
        {
            RouteParameters = [id],
            Response = typeof(EvaluationBody),
            Refusals = [401, 403, 404],
        }, Access.AdminKey);
        Get<EvaluationEndpoints>(routes, "/admin/evaluations/{evaluation}/files/{file}", endpoint => endpoint.FileAsync, Access.AdminKey, new OperationDoc(
            "Read an evaluation's files", "`results.jsonl` grows while it runs; `summary.json`, `summary.md` and `report.html` are there when it has ended.")
        {
            RouteParameters = [id, ("file", "The file's name.")],
            Refusals = [401, 403, 404],
        });
    }

    private static void MapFiles(IEndpointRouteBuilder routes)
    {
        AdminPost<FileEndpoints>(routes, "/v1/files", endpoint => endpoint.UploadAsync, new OperationDoc(
            "Upload a dataset",
            "JSON lines, each either one of this server's rows (`tools`, `messages`, `answer`, `think`, `system`) or one of OpenAI's conversations (`messages` whose assistant messages have `tool_calls`, `tools`; "
                + "each such message becomes a row, `weight: 0` leaves it out, `reasoning_content` is its reasoning; of a conversation without any call each answer in words becomes one). A file with a line that is neither, or whose answer calls a tool that it does not offer, is refused, and the lines are told.")
        {
            IsUpload = true,
            Response = typeof(FileBody),
            Refusals = AdminWriteRefusals,
        });
        AdminGet<FileEndpoints>(routes, "/v1/files", endpoint => endpoint.ListAsync, new OperationDoc("List the files", "Newest first, or oldest first with `order=asc`.")
        {
            QueryParameters = [After, Limit, ("order", "`desc` (the default) or `asc`."), ("purpose", "Only `fine-tune`.")],
            Response = typeof(FileList),
            Refusals = AdminReadRefusals,
        });
        AdminGet<FileEndpoints>(routes, "/v1/files/{id}", endpoint => endpoint.GetAsync, new OperationDoc("Look up a file", "What is known of it.")
        {
            RouteParameters = FileId,
            Response = typeof(FileBody),
            Refusals = AdminReadRefusals,
        });
        AdminGet<FileEndpoints>(routes, "/v1/files/{id}/content", endpoint => endpoint.ContentAsync, new OperationDoc("Download a file", "Its bytes as they were uploaded.")
        {
            RouteParameters = FileId,
            IsDownload = true,
            Refusals = [.. AdminReadRefusals, 409],
        });
        Map<FileEndpoints>(routes, HttpMethods.Delete, "/v1/files/{id}", endpoint => endpoint.DeleteAsync, Access.AdminKey, new OperationDoc(
            "Delete a file", "Jobs that have begun keep their own copy of its rows; one that has not will fail.")
        {
            RouteParameters = FileId,
            Response = typeof(DeletedBody),
            Refusals = AdminReadRefusals,
        });
    }

    private static void MapJobs(IEndpointRouteBuilder routes)
    {
        const string Jobs = "/v1/fine_tuning/jobs";
        AdminPost<FineTuningEndpoints>(routes, Jobs, endpoint => endpoint.CreateAsync, new OperationDoc(
            "Start a training job",
            "Jobs run one at a time beside live requests, in turns; others wait. A server that stops goes on with its job at the next start, from the last checkpoint, with the steps that it would have taken.")
        {
            Request = FineTuningShapes.CreateJob,
            Examples = RequestExamples.FineTuningJob,
            Response = typeof(JobBody),
            Refusals = AdminWriteRefusals,
        });
        AdminGet<FineTuningEndpoints>(routes, Jobs, endpoint => endpoint.ListAsync, new OperationDoc("List the jobs", "Newest first.")
        {
            QueryParameters = [After, Limit],
            Response = typeof(JobList),
            Refusals = AdminReadRefusals,
        });
        AdminGet<FineTuningEndpoints>(routes, Jobs + "/{id}", endpoint => endpoint.GetAsync, new OperationDoc("Look up a job", "How far it is, or how it ended.")
        {
            RouteParameters = JobId,
            Response = typeof(JobBody),
            Refusals = AdminReadRefusals,
        });
        foreach ((string verb, Func<FineTuningEndpoints, Func<HttpContext, Task>> handler, string summary, string description) in new (string, Func<FineTuningEndpoints, Func<HttpContext, Task>>, string, string)[]
        {
            ("cancel", endpoint => endpoint.CancelAsync, "Cancel a job", "A running one ends after its step in progress, with a checkpoint, whose model can be used; it cannot be resumed."),
            ("pause", endpoint => endpoint.PauseAsync, "Pause a job", "A running one ends after its step in progress, with a checkpoint; others that wait may run meanwhile."),
            ("resume", endpoint => endpoint.ResumeAsync, "Resume a paused job", "It waits for its turn and goes on from its last checkpoint."),
        })
        {
            AdminPost(routes, $"{Jobs}/{{id}}/{verb}", handler, new OperationDoc(summary, description)
            {
                RouteParameters = JobId,
                Response = typeof(JobBody),
                Refusals = [.. AdminReadRefusals, 409],
            });
        }

        AdminGet<FineTuningEndpoints>(routes, Jobs + "/{id}/events", endpoint => endpoint.EventsAsync, new OperationDoc("List a job's events", "Newest first; every step is one, with its figures in `data`.")
        {
            RouteParameters = JobId,
            QueryParameters = [After, Limit],
            Response = typeof(EventList),
            Refusals = AdminReadRefusals,
        });
        AdminGet<FineTuningEndpoints>(routes, Jobs + "/{id}/checkpoints", endpoint => endpoint.CheckpointsAsync, new OperationDoc("List a job's checkpoints", "Newest first; each one's model can be used by its name. Kept are the newest three of a supervised job, the newest `keep_checkpoints` and the best of a reinforcement job, and those that are pinned.")
        {
            RouteParameters = JobId,
            QueryParameters = [After, Limit],
            Response = typeof(CheckpointList),
            Refusals = AdminReadRefusals,
        });
        MapAdminTraining(routes);
    }

    private static void MapAdminTraining(IEndpointRouteBuilder routes)
    {
        const string Jobs = "/admin/training/jobs";
        (string, string)[] checkpoint = [.. JobId, ("step", "The checkpoint's step.")];
        AdminGet<AdminTrainingEndpoints>(routes, "/admin/training/plan", endpoint => endpoint.PlanAsync, new OperationDoc(
            "Plan a job",
            "What a job with these values would need on this server, in bytes by kind, and where it does not fit, what would. Values are those of the job's hyperparameters: nested ones with a dot (`lora.rank=16`), lists with commas. On a GPU the bytes are those of its memory.")
        {
            QueryParameters =
            [
                ("method", "`reinforcement` (also where it is absent) or `supervised`."),
                ("model", "The model to start from; absent: the served one."),
                ("memory_gib", "Memory there is; absent: this machine's, on a GPU the GPU's as its driver tells it."),
                ("row_tokens", "Of a supervised job: tokens of the longest row, prompt and answer, which may be what needs most; absent: those of a turn, 1024. A job's own plan (`dry_run`) measures the file."),
                .. PlanQuery.Parameters,
            ],
            Response = typeof(TrainingPlanBody),
            Refusals = AdminReadRefusals,
        });
        AdminPost<AdminTrainingEndpoints>(routes, Jobs, endpoint => endpoint.CreateAsync, new OperationDoc(
            "Start a training job, or try one",
            "As `/v1/fine_tuning/jobs`, with `dry_run`: then everything is checked and every value resolved, and the answer is the plan (`object` is `training.plan`).")
        {
            Request = AdminTrainingShapes.CreateJob,
            Examples = RequestExamples.AdminTrainingJob,
            Response = typeof(AdminJobBody),
            OtherResponse = typeof(TrainingPlanBody),
            Refusals = AdminWriteRefusals,
        });
        AdminGet<AdminTrainingEndpoints>(routes, Jobs, endpoint => endpoint.ListAsync, new OperationDoc("List the jobs with their changes", "Newest first.")
        {
            QueryParameters = [After, Limit],
            Response = typeof(AdminJobList),
            Refusals = AdminReadRefusals,
        });
        AdminGet<AdminTrainingEndpoints>(routes, Jobs + "/{id}", endpoint => endpoint.GetAsync, new OperationDoc("Look up a job with its changes", "How far it is, what was changed about it and from which step on.")
        {
            RouteParameters = JobId,
            Response = typeof(AdminJobBody),
            Refusals = AdminReadRefusals,
        });
        Map<AdminTrainingEndpoints>(routes, HttpMethods.Patch, Jobs + "/{id}", endpoint => endpoint.EditAsync, Access.AdminKey, new OperationDoc(
            "Change a reinforcement job's values", "Learning rate, KL and caps, from the next step on; a job that is killed and goes on from before that step takes the change at the same step again.")
        {
            RouteParameters = JobId,
            Request = AdminTrainingShapes.EditJob,
            Examples = _ => RequestExamples.EditJob,
            Response = typeof(AdminJobBody),
            Refusals = AdminWriteRefusals,
        });
        AdminGet<AdminTrainingEndpoints>(routes, Jobs + "/{id}/events", endpoint => endpoint.EventsAsync, new OperationDoc(
            "Follow a job",
            "Server-sent events: all so far, then each as it comes, named `message` or `metrics`; a comment every 15 silent seconds; `data: [DONE]` closes once the job has ended; an error after the start is an event with `error`. "
                + "A client that was cut off sends the last event's id as `Last-Event-ID` and misses none.")
        {
            RouteParameters = JobId,
            HeaderParameters = [(AdminTrainingEndpoints.LastEventId, "Id of the last event that the client has; those beyond it are sent.")],
            Response = typeof(EventBody),
            StreamedEvent = typeof(EventBody),
            Refusals = AdminReadRefusals,
        });
        AdminPost<AdminTrainingEndpoints>(routes, Jobs + "/{id}/checkpoints/{step}/pin", endpoint => endpoint.PinAsync, new OperationDoc("Pin a checkpoint", "It is kept whatever its age.")
        {
            RouteParameters = checkpoint,
            Response = typeof(CheckpointBody),
            Refusals = AdminReadRefusals,
        });
        Map<AdminTrainingEndpoints>(routes, HttpMethods.Delete, Jobs + "/{id}/checkpoints/{step}/pin", endpoint => endpoint.PinAsync, Access.AdminKey, new OperationDoc(
            "Unpin a checkpoint", "It goes with the others of its age, after the job's next checkpoint.")
        {
            RouteParameters = checkpoint,
            Response = typeof(CheckpointBody),
            Refusals = AdminReadRefusals,
        });
        AdminGet<AdminTrainingEndpoints>(routes, Jobs + "/{id}/checkpoints/{step}/export", endpoint => endpoint.ExportAsync, new OperationDoc(
            "Export a checkpoint's model", "A tar archive of a Hugging Face folder, an adapter merged into its base; or, of a job with `lora`, of the adapter alone in PEFT's layout (`format=adapter`).")
        {
            RouteParameters = checkpoint,
            QueryParameters = [("format", "`model` (the default) or `adapter`.")],
            IsDownload = true,
            Refusals = AdminReadRefusals,
        });
        AdminGet<FineTuningEndpoints>(routes, "/admin/training/jobs/{id}/metrics", endpoint => endpoint.MetricsAsync, new OperationDoc("Figures of a job's steps", "In order, for curves.")
        {
            RouteParameters = JobId,
            QueryParameters = [("after_step", "Only steps beyond this one; absent, or -1: all."), Limit],
            Response = typeof(MetricList),
            Refusals = AdminReadRefusals,
        });
        AdminGet<FineTuningEndpoints>(routes, "/admin/training/jobs/{id}/samples", endpoint => endpoint.SamplesAsync, new OperationDoc("Answers of a job's model", "Some that each step of a reinforcement job was trained on, and the finished model's to held-out rows, with what they were worth.")
        {
            RouteParameters = JobId,
            QueryParameters = [("kind", "Only `rollout` or `held_out`."), ("step", "Only of this step."), Limit],
            Response = typeof(SampleList),
            Refusals = AdminReadRefusals,
        });
    }

    private static void MapModels(IEndpointRouteBuilder routes)
    {
        AdminGet<AdminModelEndpoints>(routes, "/admin/models", endpoint => endpoint.ListAsync, new OperationDoc("List the versions of the served model", "With their held-out scores, and which is live.")
        {
            Response = typeof(ModelVersionList),
            Refusals = [401, 403],
        });
        AdminPost<AdminModelEndpoints>(routes, "/admin/models/load", endpoint => endpoint.LoadAsync, new OperationDoc(
            "Read a version into memory",
            "So that the first request that names it need not wait for its files. What is live stays live; where there are more versions in memory than `ToolN1:Training:MaxLoadedModels`, the one unused longest goes.")
        {
            Request = FineTuningShapes.Load,
            Examples = RequestExamples.Load,
            Response = typeof(ModelVersionBody),
            Refusals = [400, 401, 403, 404, 413, 415],
        });
        AdminPost<AdminModelEndpoints>(routes, "/admin/models/promote", endpoint => endpoint.PromoteAsync, new OperationDoc(
            "Make a version live",
            "Requests that name the served model run on it from now on; those in flight end on theirs. A gate stands before it: on the held-out rows of the job that made it, its exact match must not be lower than the live version's. Going back to `…@base`, which no job made, needs no gate.")
        {
            Request = FineTuningShapes.Promote,
            Examples = RequestExamples.Promote,
            Response = typeof(LiveChangeBody),
            Refusals = AdminWriteRefusals,
        });
        AdminPost<AdminModelEndpoints>(routes, "/admin/models/rollback", endpoint => endpoint.RollbackAsync, new OperationDoc("Take back the last promotion", "What was live before it is live again. No gate.")
        {
            Response = typeof(LiveChangeBody),
            Refusals = [401, 403, 409],
        });
        AdminGet<AdminModelEndpoints>(routes, "/admin/audit", endpoint => endpoint.AuditAsync, new OperationDoc("Read the audit log", "Newest first: who did what when; for promotions and rollbacks with scores and data hash.")
        {
            QueryParameters = [("after", "Sequence of the last entry of the page before."), Limit],
            Response = typeof(AuditList),
            Refusals = [400, 401, 403],
        });
    }

    private static void AdminPost<T>(IEndpointRouteBuilder routes, string route, Func<T, Func<HttpContext, Task>> handler, OperationDoc doc)
        where T : notnull => Map(routes, HttpMethods.Post, route, handler, Access.AdminKey, doc);

    private static void AdminGet<T>(IEndpointRouteBuilder routes, string route, Func<T, Func<HttpContext, Task>> handler, OperationDoc doc)
        where T : notnull => Map(routes, HttpMethods.Get, route, handler, Access.AdminKey, doc);

    private static void Post<T>(
        IEndpointRouteBuilder routes, string route, Func<T, Func<HttpContext, Task>> handler, OperationDoc doc, Access access = Access.ApiKey)
        where T : notnull => Map(routes, HttpMethods.Post, route, handler, access, doc);

    private static void Get<T>(IEndpointRouteBuilder routes, string route, Func<T, Func<HttpContext, Task>> handler, Access access, OperationDoc doc)
        where T : notnull => Map(routes, HttpMethods.Get, route, handler, access, doc);

    /// <summary>Maps a route, which takes the parameters of the query that its documentation has, and no other; probes may send what they like.</summary>
    private static void Map<T>(IEndpointRouteBuilder routes, string method, string route, Func<T, Func<HttpContext, Task>> handler, Access access, OperationDoc doc)
        where T : notnull
    {
        string[] parameters = [.. doc.QueryParameters.Select(parameter => parameter.Name)];
        Func<HttpContext, Task> handle = context =>
        {
            if (access != Access.Public)
            {
                QueryString.Check(context.Request.Query, parameters);
            }

            return handler(context.RequestServices.GetRequiredService<T>())(context);
        };
        routes.MapMethods(route, [method], handle).WithMetadata(new AccessMetadata(access), doc);
        if (access == Access.Public)
        {
            // Load balancers and monitors probe with HEAD too; the server leaves out the body.
            routes.MapMethods(route, [HttpMethods.Head], handle).WithMetadata(new AccessMetadata(access)).ExcludeFromDescription();
        }
    }
}
