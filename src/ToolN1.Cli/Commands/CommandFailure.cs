using Microsoft.Extensions.Options;
using ToolN1.Engine;
using ToolN1.Engine.Model;
using ToolN1.Engine.Tokenization;
using ToolN1.Training;
using ToolN1.Training.Data;

namespace ToolN1.Cli.Commands;

/// <summary>What commands that train, export or import may fail with: told in a line, not as a defect of the program.</summary>
internal static class CommandFailure
{
    /// <summary>Whether it is such a failure, or somebody's wish to stop.</summary>
    public static bool IsExpected(Exception error) =>
        error is OperationCanceledException or TrainingConfigException or TrainingDataException or CheckpointException or TokenizerFormatException or NonFiniteTrainingException
            or EngineFaultException or OptionsValidationException or InvalidDataException or IOException or UnauthorizedAccessException or NotSupportedException;

    /// <summary>Tells it.</summary>
    /// <returns>The exit code.</returns>
    public static int Tell(Exception error)
    {
        if (error is OperationCanceledException)
        {
            return 130;
        }

        Console.Error.WriteLine(error.Message);
        return 1;
    }
}
