using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Options;
using Npgsql;
using ToolN1.Training.Hosting;
using ToolN1.Training.Jobs.Hosting;

namespace ToolN1.Training.Jobs.Storage;

/// <summary>
/// The database and the data directory of one server. Changes go one after the other, each in a transaction of its own;
/// reading goes on beside them. Safe to call from any thread.
/// </summary>
public sealed class TrainingStore : IDisposable
{
    private readonly DbContextOptions<TrainingContext> _options;
    private readonly DatabaseOptions _database;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _writing = new(1);
    private readonly JobSignal _written = new();
    private FileStream? _lock;
    private NpgsqlConnection? _databaseLock;

    /// <summary>Names the database; nothing is opened yet.</summary>
    public TrainingStore(IOptions<TrainingOptions> options, IOptions<DataOptions> data, TimeProvider time)
    {
        _time = time;
        _database = options.Value.Database;
        Root = Path.GetFullPath(data.Value.DataDirectory);
        DbContextOptionsBuilder<TrainingContext> builder = new();
        _options = (_database.Provider == "postgresql"
            ? builder.UseNpgsql(_database.ConnectionString)
            : builder.UseSqlite(_database.ConnectionString ?? "Data Source=" + OwnFile)).AddInterceptors(new StorableParameters()).Options;
    }

    /// <summary>The data directory.</summary>
    public string Root { get; }

    /// <summary>Whether there is state to use.</summary>
    public bool IsOpen => _lock is not null;

    /// <summary>Whether an earlier run left state here.</summary>
    public bool Exists => !IsOwn || File.Exists(OwnFile);

    /// <summary>Ends with the next change of anything: take it first, read then.</summary>
    public Task Changed => _written.Changed;

    /// <summary>Now, in seconds since 1970.</summary>
    public long Now => _time.GetUtcNow().ToUnixTimeSeconds();

    /// <summary>A path within the data directory.</summary>
    public string PathOf(string relative) => Path.Combine(Root, relative);

    /// <summary>Makes the data directory this server's alone, and brings the database to the current schema.</summary>
    /// <exception cref="IOException">Another server uses the directory or the database, or they cannot be written; names them.</exception>
    public void Open()
    {
        if (IsOpen)
        {
            return;
        }

        FileStream held;
        try
        {
            Directory.CreateDirectory(Root);
            held = new FileStream(Path.Combine(Root, "server.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"ToolN1:DataDirectory: {Root} cannot be used ({error.Message}); another server may hold it.", error);
        }

        try
        {
            using TrainingContext context = Context();
            LockDatabase(context);
            Migrate(context);
            _lock = held;
        }
        catch (DbException error)
        {
            _databaseLock?.Dispose();
            held.Dispose();
            string problem = error is PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable } ? "another server uses the database." : $"the database cannot be used: {error.Message}";
            throw new IOException($"ToolN1:Database: {problem}", error);
        }
    }

    /// <summary>Reads.</summary>
    public async Task<T> ReadAsync<T>(Func<TrainingContext, Task<T>> read)
    {
        using TrainingContext context = Context();
        return await read(context).ConfigureAwait(false);
    }

    /// <summary>Reads on the calling thread.</summary>
    public T Read<T>(Func<TrainingContext, T> read)
    {
        using TrainingContext context = Context();
        return read(context);
    }

    /// <summary>Changes something: what the function does to the context is saved as one, or not at all.</summary>
    public async Task<T> WriteAsync<T>(Func<TrainingContext, Task<T>> write)
    {
        await _writing.WaitAsync().ConfigureAwait(false);
        try
        {
            using TrainingContext context = Context();
            using IDbContextTransaction transaction = await context.Database.BeginTransactionAsync().ConfigureAwait(false);
            T result = await write(context).ConfigureAwait(false);
            await context.SaveChangesAsync().ConfigureAwait(false);
            await transaction.CommitAsync().ConfigureAwait(false);
            return result;
        }
        finally
        {
            _writing.Release();
            _written.Wake();
        }
    }

    /// <summary>Changes something on the calling thread, as training does at its steps.</summary>
    public void Write(Action<TrainingContext> write)
    {
        _writing.Wait();
        try
        {
            using TrainingContext context = Context();
            using IDbContextTransaction transaction = context.Database.BeginTransaction();
            write(context);
            context.SaveChanges();
            transaction.Commit();
        }
        finally
        {
            _writing.Release();
            _written.Wake();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _databaseLock?.Dispose();
        _lock?.Dispose();
        _writing.Dispose();
    }

    /// <summary>A context for tools and tests; the caller disposes it.</summary>
    internal TrainingContext Context() => new(_options);

    /// <summary>Whether a database lies in the data directory, of which it knows everything then.</summary>
    internal bool HasOwnDatabase => IsOwn && File.Exists(OwnFile);

    private string OwnFile => Path.Combine(Root, "tooln1.db");

    private bool IsOwn => _database is { Provider: "sqlite", ConnectionString: null };

    /// <summary>
    /// Makes a PostgreSQL database this server's alone, as the data directory's lock makes a SQLite one: what is written one
    /// after the other here would meet another server's. A server that was killed holds it until PostgreSQL has noticed.
    /// </summary>
    private void LockDatabase(TrainingContext context)
    {
        if (_database.Provider != "postgresql")
        {
            return;
        }

        IRelationalDatabaseCreator creator = context.GetService<IRelationalDatabaseCreator>();
        if (!creator.Exists())
        {
            creator.Create();
        }

        // The connection's life is the lock's; nobody else may get it from a pool.
        _databaseLock = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_database.ConnectionString) { Pooling = false, KeepAlive = 30 }.ConnectionString);
        _databaseLock.Open();
        using NpgsqlCommand take = new("SET lock_timeout = '5s'; SELECT pg_advisory_lock(7450001)", _databaseLock);
        take.ExecuteNonQuery();
    }

    private void Migrate(TrainingContext context)
    {
        if (!context.Database.GetPendingMigrations().Any())
        {
            return;
        }

        // On SQLite a row is EF's lock: of a process that was killed meanwhile it stays, and whoever migrates next waits for it
        // without end. Here it can be nobody else's: who holds the directory holds its database.
        if (IsOwn && File.Exists(OwnFile))
        {
            context.Database.ExecuteSqlRaw("""DROP TABLE IF EXISTS "__EFMigrationsLock";""");
        }

        context.Database.Migrate();
    }
}
