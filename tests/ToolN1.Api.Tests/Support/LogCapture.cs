using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ToolN1.Api.Tests.Support;

/// <summary>Keeps every log line of every category as text, its state and exception included, and every scope.</summary>
internal sealed class LogCapture : ILoggerProvider
{
    /// <summary>The lines so far.</summary>
    public ConcurrentQueue<(string Category, LogLevel Level, string Text)> Lines { get; } = [];

    public ILogger CreateLogger(string categoryName) => new Capturing(categoryName, Lines);

    public void Dispose()
    {
    }

    private sealed class Capturing(string category, ConcurrentQueue<(string, LogLevel, string)> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            string details = state is IEnumerable<KeyValuePair<string, object?>> pairs ? string.Join(' ', pairs.Select(pair => pair.Value)) : "";
            lines.Enqueue((category, LogLevel.Information, $"scope {state} {details}"));
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            string details = state is IEnumerable<KeyValuePair<string, object?>> pairs ? string.Join(' ', pairs.Select(pair => pair.Value)) : "";
            lines.Enqueue((category, logLevel, $"{formatter(state, exception)} {details} {exception}"));
        }
    }
}
