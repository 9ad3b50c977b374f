namespace ToolN1.Training.Checkpoints;

/// <summary>What makes a resumed run the same run: its values, its data and the weights that it began with, wherever they lie.</summary>
internal static class RunIdentity
{
    /// <summary>Checksums of files, in place of their paths.</summary>
    public static IReadOnlyList<string> Of(IReadOnlyList<string> files) => [.. files.Select(Manifest.Checksum)];

    /// <summary>Refuses to go on with another run.</summary>
    /// <param name="configFile">Named in errors.</param>
    /// <param name="startField">The field that names what the run begins with.</param>
    /// <param name="start">Its value.</param>
    /// <param name="began">As the checkpoint has it.</param>
    /// <param name="goesOn">As it is now.</param>
    /// <exception cref="TrainingConfigException">They differ; tells in what.</exception>
    public static void Require(string configFile, string startField, string? start, (string Config, string StartVersion) began, (string Config, string StartVersion) goesOn)
    {
        if (began.Config != goesOn.Config)
        {
            throw new TrainingConfigException(configFile, "differs from the configuration or the data that the checkpoint was made with; a resumed run must be the same run.");
        }

        if (began.StartVersion != goesOn.StartVersion)
        {
            throw new TrainingConfigException(configFile, $"field '{startField}': {start} holds other weights than the run began with (version {goesOn.StartVersion} instead of {began.StartVersion}).");
        }
    }
}
