using System.Data.Common;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace ToolN1.Training.Jobs.Storage;

/// <summary>Tells a database that is out of reach for a while, and a disk that is full, from what refuses what it is asked.</summary>
public static class Outage
{
    // SQLite's BUSY, LOCKED, READONLY, IOERR and CANTOPEN; and ERROR, which says no more than that a table is not there now.
    private static readonly int[] Passing = [1, 5, 6, 8, 10, 14];

    // ENOSPC and EDQUOT of Unix, ERROR_DISK_FULL of Windows.
    private static readonly int[] DiskFull = [28, 122, unchecked((int)0x80070070)];

    /// <summary>Whether the same may be answered by the database a little later.</summary>
    public static bool Is(Exception error) => !IsFullDisk(error) && Causes(error).Any(cause => cause switch
    {
        SqliteException sqlite => Passing.Contains(sqlite.SqliteErrorCode),
        PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } => true,
        DbException other => other.IsTransient,
        _ => false,
    });

    /// <summary>Whether a disk is full: the data directory's, or the database's.</summary>
    public static bool IsFullDisk(Exception error) => Causes(error).Any(cause => cause switch
    {
        SqliteException sqlite => sqlite.SqliteErrorCode == 13,
        PostgresException postgres => postgres.SqlState == PostgresErrorCodes.DiskFull,
        IOException io => DiskFull.Contains(io.HResult),
        _ => false,
    });

    /// <summary>EF wraps what a provider throws, Npgsql's strategy once more.</summary>
    private static IEnumerable<Exception> Causes(Exception error)
    {
        for (Exception? cause = error; cause is not null; cause = cause.InnerException)
        {
            yield return cause;
        }
    }
}
