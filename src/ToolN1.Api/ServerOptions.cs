using System.ComponentModel.DataAnnotations;

namespace ToolN1.Api;

/// <summary>Limits of the HTTP side (section <c>ToolN1:Server</c>).</summary>
public sealed class ServerOptions
{
    /// <summary>Where the options stand.</summary>
    public const string Section = "ToolN1:Server";

    /// <summary>Largest request body in MiB; a larger one is a 413.</summary>
    [Range(1, 1024)]
    public int MaxRequestBodyMiB { get; set; } = 32;

    /// <summary>Largest upload of a file in MiB; a larger one is a 413.</summary>
    [Range(1, 65536)]
    public int MaxUploadMiB { get; set; } = 512;

    /// <summary>
    /// Most log-probabilities in one answer: tokens that may be generated, and those of an echoed prompt, times the
    /// log-probabilities of each, over all choices. Each takes one to two hundred bytes until it is sent; a request that could
    /// have more is a 400.
    /// </summary>
    [Range(1, 1_000_000_000)]
    public int MaxLogProbs { get; set; } = 1_000_000;

    /// <summary>How long a stopping server lets answers in flight run to their end, in seconds; then they are cancelled.</summary>
    [Range(0, 3600)]
    public int ShutdownTimeoutSeconds { get; set; } = 30;

    /// <summary><see cref="MaxRequestBodyMiB"/> in bytes.</summary>
    internal long MaxRequestBodyBytes => MaxRequestBodyMiB * 1024L * 1024L;

    /// <summary><see cref="MaxUploadMiB"/> in bytes.</summary>
    internal long MaxUploadBytes => MaxUploadMiB * 1024L * 1024L;
}
