using System.Globalization;
using Microsoft.Extensions.Primitives;
using ToolN1.Api.Errors;

namespace ToolN1.Api.Endpoints;

/// <summary>Reads a request's query, whose names <see cref="Check"/> has checked.</summary>
internal sealed class QueryString(HttpContext context)
{
    private readonly IQueryCollection _query = context.Request.Query;

    /// <summary>Refuses a parameter that the route does not know, by name, as a body's field is.</summary>
    /// <param name="query">The request's.</param>
    /// <param name="known">Parameters that the route knows.</param>
    /// <exception cref="ApiException">400 naming an unknown or doubled one.</exception>
    public static void Check(IQueryCollection query, IReadOnlyList<string> known)
    {
        foreach ((string name, StringValues values) in query)
        {
            if (!known.Contains(name))
            {
                throw ApiException.Invalid(name, $"Unknown parameter: '{name}'.", "unknown_parameter");
            }

            if (values.Count > 1)
            {
                throw ApiException.Invalid(name, $"'{name}' is given twice.", "duplicate_parameter");
            }
        }
    }

    /// <summary>A text, or null.</summary>
    public string? Text(string name) => _query.TryGetValue(name, out StringValues values) && !string.IsNullOrEmpty(values[0]) ? values[0] : null;

    /// <summary>A whole number within bounds.</summary>
    /// <exception cref="ApiException">400 naming it.</exception>
    public int Integer(string name, int min, int max, int otherwise) =>
        Text(name) is not string text ? otherwise
        : int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) && value >= min && value <= max ? value
        : throw ApiException.Invalid(name, $"Invalid value for '{name}': it must be a whole number between {min} and {max}.");

    /// <summary>A number above one bound and within another, or null.</summary>
    /// <exception cref="ApiException">400 naming it.</exception>
    public double? Number(string name, double above, double max) =>
        Text(name) is not string text ? null
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value > above && value <= max ? value
        : throw ApiException.Invalid(name, string.Create(CultureInfo.InvariantCulture, $"Invalid value for '{name}': it must be a number above {above} and at most {max}."));

    /// <summary>One of some words.</summary>
    /// <exception cref="ApiException">400 naming it.</exception>
    public string Choice(string name, string otherwise, params IReadOnlyList<string> choices) =>
        Text(name) is not string text ? otherwise
        : choices.Contains(text) ? text
        : throw ApiException.Invalid(name, $"Invalid value for '{name}': supported values are {string.Join(", ", choices.Select(choice => $"'{choice}'"))}.");
}
