using System.Globalization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using ToolN1.Api.Auth;
using ToolN1.Api.Errors;

namespace ToolN1.Api.OpenApi;

/// <summary>Fills the OpenAPI document from the endpoints' metadata: the same shapes that check the requests.</summary>
internal static class DocumentTransformers
{
    /// <summary>What the document calls the way to send a key.</summary>
    public const string KeyScheme = "key";

    private const string Json = "application/json";

    /// <summary>Title, introduction and how to authenticate.</summary>
    public static Task DescribeDocumentAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Info = new OpenApiInfo
        {
            Title = "ToolN1",
            Version = typeof(DocumentTransformers).Assembly.GetName().Version?.ToString(3) ?? "0",
            Description = "An OpenAI-compatible server for tool-calling models. Fields are OpenAI's, a few are vLLM's; a field or value that is not "
                + "supported is refused with a 400 that names it, never ignored. Optional fields may be null, which is the same as absent. "
                + "Every answer carries `x-request-id`, the caller's own where it sent one. "
                + "Where the server has keys, the examples name what there is only for a key that opens their route: send it with the request for this document, or use Authorize.",
        };
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
        document.Components.SecuritySchemes[KeyScheme] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            Description = "A key of ToolN1:Auth:ApiKeys (or AdminKeys). Not needed while the server has no keys and serves its own machine only.",
        };
        return Task.CompletedTask;
    }

    /// <summary>Summary, body, examples, answers and refusals of one operation.</summary>
    public static async Task DescribeOperationAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        IList<object> metadata = context.Description.ActionDescriptor.EndpointMetadata;
        if (metadata.OfType<OperationDoc>().FirstOrDefault() is not OperationDoc doc || context.Document is not OpenApiDocument document)
        {
            return;
        }

        operation.Summary = doc.Summary;
        operation.Description = doc.Description;
        Access access = metadata.OfType<AccessMetadata>().FirstOrDefault()?.Access ?? Access.ApiKey;
        if (access != Access.Public)
        {
            operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(KeyScheme, document)] = [] }];
        }

        operation.Parameters = [.. doc.RouteParameters.Select(parameter => new OpenApiParameter
        {
            Name = parameter.Name,
            In = ParameterLocation.Path,
            Required = true,
            Description = parameter.Description,
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        }), .. doc.QueryParameters.Select(parameter => new OpenApiParameter
        {
            Name = parameter.Name,
            In = ParameterLocation.Query,
            Description = parameter.Description,
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        }), .. doc.HeaderParameters.Select(parameter => new OpenApiParameter
        {
            Name = parameter.Name,
            In = ParameterLocation.Header,
            Description = parameter.Description,
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        })];
        if (doc.IsUpload)
        {
            operation.RequestBody = UploadBody();
        }

        if (doc.Request is not null)
        {
            operation.RequestBody = new OpenApiRequestBody
            {
                Required = true,
                Description = "A JSON object.",
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    [Json] = new OpenApiMediaType
                    {
                        Schema = doc.Request.ToSchema(document),
                        Examples = doc.Examples?.Invoke(await ExampleNames.ForCallerAsync(context.ApplicationServices, access))
                            .ToDictionary(example => example.Name, example => (IOpenApiExample)new OpenApiExample { Summary = example.Summary, Value = example.Body }),
                    },
                },
            };
        }

        operation.Responses = new OpenApiResponses { ["200"] = await SuccessAsync(doc, context, document, cancellationToken) };
        bool isChange = access == Access.AdminKey && !HttpMethods.IsGet(context.Description.HttpMethod!);
        int[] failures = access == Access.Public ? [StatusCodes.Status500InternalServerError]
            : isChange ? [StatusCodes.Status500InternalServerError, StatusCodes.Status503ServiceUnavailable, StatusCodes.Status507InsufficientStorage]
            : [StatusCodes.Status500InternalServerError, StatusCodes.Status503ServiceUnavailable];
        foreach (int status in doc.Refusals.Union(failures))
        {
            operation.Responses[status.ToString(CultureInfo.InvariantCulture)] = new OpenApiResponse
            {
                Description = Refusal(status),
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    [Json] = new OpenApiMediaType { Schema = await ComponentAsync(typeof(ErrorEnvelope), context, document, cancellationToken) },
                },
            };
        }
    }

    private static OpenApiRequestBody UploadBody() => new()
    {
        Required = true,
        Description = "A form.",
        Content = new Dictionary<string, OpenApiMediaType>
        {
            ["multipart/form-data"] = new OpenApiMediaType
            {
                Schema = new OpenApiSchema
                {
                    Type = JsonSchemaType.Object,
                    Required = new HashSet<string> { "file", "purpose" },
                    Properties = new Dictionary<string, IOpenApiSchema>
                    {
                        ["purpose"] = new OpenApiSchema { Type = JsonSchemaType.String, Enum = ["fine-tune"], Description = "Always `fine-tune`." },
                        ["file"] = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary", Description = "JSON lines: this server's rows, or OpenAI's conversations." },
                    },
                },
            },
        },
    };

    private static async Task<OpenApiResponse> SuccessAsync(
        OperationDoc doc, OpenApiOperationTransformerContext context, OpenApiDocument document, CancellationToken cancellationToken)
    {
        OpenApiResponse success = new() { Description = "The answer.", Content = new Dictionary<string, OpenApiMediaType>() };
        if (doc.IsDownload)
        {
            success.Content["application/octet-stream"] = new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary", Description = "The file's bytes." } };
            return success;
        }

        if (doc.Response is null)
        {
            success.Content["text/plain"] = new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.String, Description = "Plain text." } };
            return success;
        }

        IOpenApiSchema answer = await ComponentAsync(doc.Response, context, document, cancellationToken);
        success.Content[Json] = new OpenApiMediaType
        {
            Schema = doc.OtherResponse is null ? answer : new OpenApiSchema { OneOf = [answer, await ComponentAsync(doc.OtherResponse, context, document, cancellationToken)] },
        };
        if (doc.StreamedEvent is not null)
        {
            // OpenAPI has no word for server-sent events: the schema is that of the JSON after "data: " in each event.
            success.Content["text/event-stream"] = new OpenApiMediaType { Schema = await ComponentAsync(doc.StreamedEvent, context, document, cancellationToken) };
        }

        return success;
    }

    private static async Task<IOpenApiSchema> ComponentAsync(
        Type type, OpenApiOperationTransformerContext context, OpenApiDocument document, CancellationToken cancellationToken)
    {
        document.Components ??= new OpenApiComponents();
        document.Components.Schemas ??= new Dictionary<string, IOpenApiSchema>();
        if (!document.Components.Schemas.ContainsKey(type.Name))
        {
            document.Components.Schemas[type.Name] = await context.GetOrCreateSchemaAsync(type, null, cancellationToken);
        }

        return new OpenApiSchemaReference(type.Name, document);
    }

    private static string Refusal(int status) => status switch
    {
        StatusCodes.Status400BadRequest => "A field is missing, wrong, unknown or not supported, or the prompt is too long (`context_length_exceeded`); `param` names it.",
        StatusCodes.Status401Unauthorized => "The key is missing or wrong.",
        StatusCodes.Status403Forbidden => "The route needs an admin key (`ToolN1:Auth:AdminKeys`).",
        StatusCodes.Status404NotFound => "There is nothing of that id.",
        StatusCodes.Status409Conflict => "The state of things stands against it (`code` says which): a job that has ended, a gate that is not passed.",
        StatusCodes.Status413PayloadTooLarge => "The body is too large.",
        StatusCodes.Status415UnsupportedMediaType => "The body is not sent as the content type that the route takes.",
        StatusCodes.Status503ServiceUnavailable => "The queue is full, the database is out of reach, or the server is not ready or stopping; Retry-After says when to try again.",
        StatusCodes.Status507InsufficientStorage => "The server's disk is full; nothing of the request was kept.",
        _ => "The server failed.",
    };
}
