using System.Data.Common;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace ToolN1.Training.Jobs.Storage;

/// <summary>Tells a database that is out of reach for a while from one that refuses what it is asked.</summary>
internal static class Outage
{
    // SQLite's BUSY, LOCKED, IOERR and CANTOPEN; and ERROR, which says no more than that a table is not there now.
    private static readonly int[] Passing = [1, 5, 6, 10, 14];

    /// <summary>Whether the same may be answered a little later.</summary>
    public static bool Is(Exception error) => !IsFullDisk(error) && Causes(error).Any(cause => cause switch
    {
        SqliteException sqlite => Passing.Contains(sqlite.SqliteErrorCode),
        DbException other => other.IsTransient,
        _ => false,
    });

    /// <summary>Whether the database's disk is full.</summary>
    public static bool IsFullDisk(Exception error) =>
        Causes(error).Any(cause => cause is SqliteException { SqliteErrorCode: 13 } or PostgresException { SqlState: PostgresErrorCodes.DiskFull });

    /// <summary>EF wraps what a provider throws, Npgsql's strategy once more.</summary>
    private static IEnumerable<Exception> Causes(Exception error)
    {
        for (Exception? cause = error; cause is not null; cause = cause.InnerException)
        {
            yield return cause;
        }
    }
}
