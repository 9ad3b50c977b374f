namespace ToolN1.Training.Data.Synthetic;

/// <summary>A parameter to be said in a request.</summary>
/// <param name="Parameter">Its place in the schema.</param>
/// <param name="Role">What it is.</param>
/// <param name="Spoken">Its value as people say it.</param>
internal sealed record Saying(int Parameter, ParameterRole Role, string Spoken);

/// <summary>A request's words for one parameter, as they stand there.</summary>
/// <param name="Parameter">Its place in the schema.</param>
/// <param name="Text">The words.</param>
internal sealed record Phrase(int Parameter, string Text)
{
    /// <summary>The words without the marks around them.</summary>
    public string Words => Text.Trim(' ', ',', ':');
}

/// <summary>A call as a request says it.</summary>
/// <param name="Gist">What is asked, in two or three words: the usual verb, and the object as the request names it.</param>
/// <param name="Phrases">The words for its parameters, in their order.</param>
internal sealed record SaidCall(string Gist, IReadOnlyList<Phrase> Phrases)
{
    /// <summary>The gist, then the words: "get weather; in Paris; in celsius".</summary>
    public string Summary => string.Join("; ", Phrases.Select(phrase => phrase.Words).Prepend(Gist));
}

/// <summary>A request, and its calls in their order; calls that are said in one breath are one.</summary>
internal sealed record WrittenRequest(string Text, IReadOnlyList<SaidCall> Calls);
