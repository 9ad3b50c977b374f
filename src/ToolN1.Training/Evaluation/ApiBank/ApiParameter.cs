namespace ToolN1.Training.Evaluation.ApiBank;

/// <summary>A parameter as the benchmark's tool manager converts it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">str, int, float, bool, list or list(str).</param>
/// <param name="Required">False where Python's signature gives a default of None, or takes it as a keyword.</param>
/// <param name="Keyword">Taken by <c>**kwargs</c>: absent from the recorded input where it is not given.</param>
internal sealed record ApiParameter(string Name, string Type, bool Required, bool Keyword);
