using ToolN1.Api.Errors;

namespace ToolN1.Api.Contracts;

/// <summary>Keeps a small request from asking for a very large answer (<see cref="ServerOptions.MaxLogProbs"/>).</summary>
internal static class LogProbLimit
{
    /// <summary>Refuses a request whose answer might hold more log-probabilities than one may.</summary>
    /// <param name="tokens">Tokens of the whole answer, all choices and echoed prompts included.</param>
    /// <param name="alternatives">Likeliest tokens returned at each place, beside the token itself.</param>
    /// <param name="limit">Most log-probabilities.</param>
    /// <param name="param">The field that asks for them.</param>
    /// <param name="remedy">What to send instead: names the other fields.</param>
    /// <exception cref="ApiException">400 naming the field and the option.</exception>
    public static void Check(long tokens, int alternatives, int limit, string param, string remedy)
    {
        if (tokens * (alternatives + 1) > limit)
        {
            throw ApiException.Invalid(
                param,
                $"The answer may have {tokens} tokens, and with '{param}' {alternatives + 1} log-probabilities of each: more than the {limit} that one answer may hold "
                    + $"(the server's option {ServerOptions.Section}:{nameof(ServerOptions.MaxLogProbs)}). {remedy}");
        }
    }
}
