namespace ToolN1.Api.OpenApi;

/// <summary>
/// What the documentation page does beyond Swagger UI: once a key is given, it reads the document again with it, so that the
/// examples name what the caller may use (<see cref="ExampleNames"/>) and can be sent as they are. The key stays in the page.
/// </summary>
internal static class SwaggerScripts
{
    /// <summary>A request interceptor: the page's own request for the document carries the key that was given.</summary>
    public const string SendKeyForDocument =
        "(request) => { "
        + "const key = request.loadSpec && window.ui && window.ui.authSelectors.authorized().getIn(['" + DocumentTransformers.KeyScheme + "', 'value']); "
        + "if (key) { request.headers.Authorization = 'Bearer ' + key; } "
        + "return request; }";

    /// <summary>A plugin: giving a key, and taking it back, reads the document again.</summary>
    public const string ReadDocumentAgain =
        "(() => { "
        + "const again = (act, system) => (payload) => { const done = act(payload); system.specActions.download(); return done; }; "
        + "return { statePlugins: { auth: { wrapActions: { authorize: again, logout: again } } } }; })";
}
