using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using ToolN1.Training.Captures;
using ToolN1.Training.Jobs.Methods;
using ToolN1.Training.Jobs.Models;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Training.Jobs.Hosting;

/// <summary>Registers training as a service.</summary>
public static class TrainingServiceCollectionExtensions
{
    /// <summary>
    /// Adds options with their checks (section <c>ToolN1</c>: <c>Database</c>, <c>Training</c>),
    /// <see cref="TrainingJobs"/>, <see cref="TrainingFiles"/>, <see cref="ModelCatalog"/>, <see cref="Promotions"/>, and the worker that runs jobs. Needs
    /// <see cref="ToolN1.Training.Hosting.DataOptions"/> and the engine's services; register those first, so that they start before and stop after.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configuration">The configuration.</param>
    /// <param name="isOn">Whether anybody can ask for training; without, nothing is written.</param>
    public static IServiceCollection AddToolN1Training(this IServiceCollection services, IConfiguration configuration, bool isOn)
    {
        services.AddOptions<TrainingOptions>().Bind(configuration.GetSection(TrainingOptions.SectionName)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<TrainingOptions>, TrainingOptionsValidator>();
        services.AddSingleton<IValidateOptions<TrainingOptions>, TrainingOptionsCrossFieldValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(new TrainingSwitch(isOn));
        services.AddSingleton<TrainingStore>();
        services.AddSingleton<TrainingFiles>();
        services.AddSingleton<HeldOut>();
        services.AddSingleton<ModelCatalog>();
        services.AddSingleton<Promotions>();
        services.AddSingleton<JobSignal>();
        services.AddSingleton<TrainingJobs>();
        services.AddSingleton<JobPlanner>();
        services.AddSingleton<ITrainingMethod, SupervisedMethod>();
        services.AddSingleton<ITrainingMethod, ReinforcementMethod>();
        services.AddSingleton<JobRunner>();
        services.AddSingleton<TrainingWorker>();
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<TrainingWorker>());
        return services.AddCaptures(configuration);
    }
}
