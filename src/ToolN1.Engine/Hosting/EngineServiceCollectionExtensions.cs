using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Client;
using ToolN1.Engine.Constraints;
using ToolN1.Engine.Tokenization;

namespace ToolN1.Engine.Hosting;

/// <summary>Registers the engine.</summary>
public static class EngineServiceCollectionExtensions
{
    /// <summary>
    /// Adds options with their checks (sections <c>ToolN1:Model</c>, <c>ToolN1:Engine</c> and <c>ToolN1:Chat</c>), <see cref="ServedModel"/>,
    /// <see cref="IInferenceEngine"/>, <see cref="Execution.IModelHost"/>, <see cref="Tokenizer"/>, <see cref="IChatFormat"/>, <see cref="ConstraintCompiler"/>, <see cref="ChatPipeline"/>, <see cref="ToolN1ChatClient"/> as <see cref="IChatClient"/>, and the
    /// hosted service that loads the model before any server starts. Whoever resolves one of them earlier loads it then.
    /// </summary>
    public static IServiceCollection AddToolN1Engine(this IServiceCollection services, IConfiguration configuration)
    {
        NativeEnvironment.Prepare();
        services.AddOptions<ModelOptions>().Bind(configuration.GetSection(ModelOptions.SectionName)).ValidateOnStart();
        services.AddOptions<EngineOptions>().Bind(configuration.GetSection(EngineOptions.SectionName)).ValidateOnStart();
        services.AddOptions<ChatServingOptions>().Bind(configuration.GetSection(ChatServingOptions.SectionName)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ChatServingOptions>, ChatServingOptionsValidator>();
        services.AddSingleton<IValidateOptions<ModelOptions>, ModelOptionsValidator>();
        services.AddSingleton<IValidateOptions<ModelOptions>, ModelDTypeValidator>();
        services.AddSingleton<IValidateOptions<EngineOptions>, EngineOptionsValidator>();
        services.AddSingleton<IValidateOptions<EngineOptions>, EngineOptionsCrossFieldValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<EngineHost>();
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<EngineHost>());
        services.AddSingleton<IInferenceEngine>(provider => provider.GetRequiredService<EngineHost>().Engine);
        services.AddSingleton(provider => provider.GetRequiredService<EngineHost>().Engine.Host);
        services.AddSingleton(provider => provider.GetRequiredService<EngineHost>().Model);
        services.AddSingleton(provider => provider.GetRequiredService<ServedModel>().Tokenizer);
        services.AddSingleton(provider => provider.GetRequiredService<ServedModel>().Format);
        services.AddSingleton(provider => ConstraintCompiler.Create(
            provider.GetRequiredService<Tokenizer>(),
            provider.GetRequiredService<IChatFormat>(),
            provider.GetRequiredService<IInferenceEngine>().Model,
            provider.GetRequiredService<IOptions<EngineOptions>>().Value));
        services.AddSingleton<ChatConstraints>();
        services.AddSingleton<ChatPipeline>();
        services.AddSingleton<ToolN1ChatClient>();
        services.AddSingleton<IChatClient>(provider => provider.GetRequiredService<ToolN1ChatClient>());
        services.AddHostedService<ConstraintWarmUp>();
        return services;
    }
}
