using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using ToolN1.Training.Jobs;
using ToolN1.Training.Jobs.Storage;
using static TorchSharp.torch;

namespace ToolN1.Training.Tests.Jobs;

public sealed class JobFailureTests
{
    [Fact]
    public void Of_AllocationThatLibtorchCannotMake_IsOutOfMemory()
    {
        // 256 TiB are more than an address can reach, whatever the machine lends.
        Exception refused = Assert.ThrowsAny<Exception>(() => empty(1L << 46, ScalarType.Float32));
        Assert.Equal("out_of_memory", JobFailure.Of(refused).Code);
    }

    [Theory]
    [InlineData(28)]
    [InlineData(122)]
    public void Of_FullDisk_SaysSo(int code) => Assert.Equal("disk_full", JobFailure.Of(new IOException("No space left on device", code)).Code);

    [Fact]
    public void Of_FullDatabase_IsAFullDisk()
    {
        SqliteException full = new("database or disk is full", 13);
        Assert.Equal("disk_full", JobFailure.Of(full).Code);
        Assert.Equal("disk_full", JobFailure.Of(new DbUpdateException("saving", full)).Code);
    }

    [Fact]
    public void Outage_IsWhatMayPass_AndNoRefusal()
    {
        (Exception Error, bool IsOutage)[] errors =
        [
            (new SqliteException("database is locked", 5), true),
            (new SqliteException("unable to open database file", 14), true),
            (new SqliteException("attempt to write a readonly database", 8), true),
            (new DbUpdateException("saving", new SqliteException("disk I/O error", 10)), true),
            (new SqliteException("UNIQUE constraint failed", 19), false),
            (new NpgsqlException("Exception while reading from stream", new IOException()), true),
            (new PostgresException("terminating connection", "FATAL", "FATAL", PostgresErrorCodes.AdminShutdown), true),
            (new PostgresException("database \"b\" does not exist", "FATAL", "FATAL", PostgresErrorCodes.InvalidCatalogName), true),
            (new PostgresException("duplicate key", "ERROR", "ERROR", PostgresErrorCodes.UniqueViolation), false),

            // As Npgsql's execution strategy gives it on.
            (new InvalidOperationException("likely due to a transient failure", new DbUpdateException("saving", new NpgsqlException("reading", new TimeoutException()))), true),
            (new InvalidOperationException("a defect of ours"), false),
            (new IOException("not the database's"), false),
        ];
        Assert.All(errors, item => Assert.Equal(item.IsOutage, Outage.Is(item.Error)));
        Assert.All(errors, item => Assert.Equal(item.IsOutage, JobFailure.Of(item.Error).Code == "database_unavailable"));
    }

    [Fact]
    public void Of_FullDiskOfPostgres_IsAFullDiskAndNoOutage()
    {
        PostgresException full = new("could not extend file", "ERROR", "ERROR", PostgresErrorCodes.DiskFull);
        foreach (Exception error in new Exception[] { full, new InvalidOperationException("likely due to a transient failure", new DbUpdateException("saving", full)) })
        {
            Assert.Equal("disk_full", JobFailure.Of(error).Code);
            Assert.False(Outage.Is(error));
        }
    }

    [Fact]
    public void Of_WhatNobodyExpected_TellsItsKindButNotItsText()
    {
        JobFailure failure = JobFailure.Of(new InvalidOperationException("secret words of a prompt"));
        Assert.Equal("internal_error", failure.Code);
        Assert.Contains(nameof(InvalidOperationException), failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.Message, StringComparison.Ordinal);
    }
}
