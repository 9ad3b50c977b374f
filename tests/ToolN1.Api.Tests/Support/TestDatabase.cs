using Npgsql;

namespace ToolN1.Api.Tests.Support;

/// <summary>The settings of a database for one test: SQLite in the data directory, or a new one on the tests' PostgreSQL.</summary>
internal static class TestDatabase
{
    /// <summary>A server for tests on PostgreSQL, as a connection string without a database: each test makes its own.</summary>
    private const string PostgresVariable = "TOOLN1_TEST_POSTGRESQL";

    /// <summary>Makes the database; skips the test where there is no PostgreSQL.</summary>
    public static async Task<(string Key, string Value)[]> CreateAsync(string provider)
    {
        if (provider == "sqlite")
        {
            return [];
        }

        string? server = Environment.GetEnvironmentVariable(PostgresVariable);
        Assert.SkipWhen(server is null, $"No PostgreSQL: set {PostgresVariable} to a connection string.");
        string name = "tooln1_" + Guid.NewGuid().ToString("N");
        await using (NpgsqlConnection connection = new(server))
        {
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            await using NpgsqlCommand create = new($"CREATE DATABASE {name}", connection);
            await create.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        return
        [
            ("ToolN1:Database:Provider", "postgresql"),
            ("ToolN1:Database:ConnectionString", new NpgsqlConnectionStringBuilder(server) { Database = name }.ConnectionString),
        ];
    }
}
