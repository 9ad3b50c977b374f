namespace ToolN1.Engine;

/// <summary>A step failed while it computed this request, which ended without an answer. The cause is the inner exception.</summary>
public sealed class EngineFaultException(string message, Exception? inner = null) : Exception(message, inner);
