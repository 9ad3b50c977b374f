using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace ToolN1.Training.Captures;

/// <summary>Registers the captures of served traffic.</summary>
internal static class CaptureServiceCollectionExtensions
{
    /// <summary>Adds options with their checks (section <c>ToolN1:Captures</c>), <see cref="CaptureQueue"/>, <see cref="CaptureReview"/>, and what writes.</summary>
    public static IServiceCollection AddCaptures(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<CaptureOptions>().Bind(configuration.GetSection(CaptureOptions.SectionName)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<CaptureOptions>, CaptureOptionsValidator>();
        services.AddSingleton<CaptureQueue>();
        services.AddSingleton<CaptureReview>();
        services.AddSingleton<CaptureWriter>();
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<CaptureWriter>());
        return services;
    }
}
