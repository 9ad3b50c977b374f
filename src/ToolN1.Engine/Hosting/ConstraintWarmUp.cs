using Microsoft.Extensions.Hosting;
using ToolN1.Engine.Constraints;

namespace ToolN1.Engine.Hosting;

/// <summary>Builds the index of the vocabulary beside the server's start, so that the first constraint need not.</summary>
internal sealed class ConstraintWarmUp(ConstraintCompiler compiler) : BackgroundService
{
    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.Run(
        () =>
        {
            try
            {
                compiler.WarmUp();
            }
            catch (ConstraintException)
            {
                // Whoever asks for a constraint is told.
            }
        },
        stoppingToken);
}
