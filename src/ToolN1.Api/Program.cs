using ToolN1.Api;

try
{
    // The content root is the program's own folder: appsettings.json and the embedded model are found from anywhere.
    WebApplicationBuilder builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });

    builder
        .AddServer()
        .AddAuth()
        .AddEngine()
        .AddEvaluations()
        .AddTraining()
        .AddEndpoints()
        .AddObservability()
        .AddDocumentation();

    await builder.Build()
        .UsePipeline()
        .MapRoutes()
        .RunAsync();
    return 0;
}
catch (Exception exception) when (StartupException.IsCallersMistake(exception))
{
    await Console.Error.WriteLineAsync("Cannot start: " + exception.Message);
    return 1;
}
