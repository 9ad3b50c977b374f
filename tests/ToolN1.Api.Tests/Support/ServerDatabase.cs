using Microsoft.Data.Sqlite;

namespace ToolN1.Api.Tests.Support;

/// <summary>A test server's SQLite database, beside the server.</summary>
internal static class ServerDatabase
{
    /// <summary>Opens it; the caller disposes the connection.</summary>
    public static async Task<SqliteConnection> OpenAsync(string dataDirectory)
    {
        SqliteConnection connection = new("Data Source=" + Path.Combine(dataDirectory, "tooln1.db"));
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        return connection;
    }

    /// <summary>Runs SQL on it.</summary>
    public static async Task ExecuteAsync(string dataDirectory, string sql)
    {
        await using SqliteConnection connection = await OpenAsync(dataDirectory);
        await using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // The tests' own text.
        command.CommandText = sql;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
