using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using ToolN1.Training.Jobs;
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
    public void Of_WhatNobodyExpected_TellsItsKindButNotItsText()
    {
        JobFailure failure = JobFailure.Of(new InvalidOperationException("secret words of a prompt"));
        Assert.Equal("internal_error", failure.Code);
        Assert.Contains(nameof(InvalidOperationException), failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.Message, StringComparison.Ordinal);
    }
}
