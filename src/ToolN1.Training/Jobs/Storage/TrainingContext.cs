using Microsoft.EntityFrameworkCore;

namespace ToolN1.Training.Jobs.Storage;

/// <summary>
/// The tables of training. One schema for SQLite and PostgreSQL: text, integers and floating point only, every key given by
/// us, times as seconds since 1970, so that one set of migrations serves both.
/// </summary>
public sealed class TrainingContext(DbContextOptions<TrainingContext> options) : DbContext(options)
{
    /// <summary>Jobs.</summary>
    public DbSet<JobRecord> Jobs => Set<JobRecord>();

    /// <summary>Uploaded files.</summary>
    public DbSet<FileRecord> Files => Set<FileRecord>();

    /// <summary>Events of jobs.</summary>
    public DbSet<EventRecord> Events => Set<EventRecord>();

    /// <summary>Figures of steps.</summary>
    public DbSet<MetricRecord> Metrics => Set<MetricRecord>();

    /// <summary>Sampled answers.</summary>
    public DbSet<SampleRecord> Samples => Set<SampleRecord>();

    /// <summary>Changes of jobs' values.</summary>
    public DbSet<EditRecord> Edits => Set<EditRecord>();

    /// <summary>Checkpoints of jobs.</summary>
    public DbSet<CheckpointRecord> Checkpoints => Set<CheckpointRecord>();

    /// <summary>Models that jobs made.</summary>
    public DbSet<ModelRecord> Models => Set<ModelRecord>();

    /// <summary>Held-out scores.</summary>
    public DbSet<EvaluationRecord> Evaluations => Set<EvaluationRecord>();

    /// <summary>Which models were made live.</summary>
    public DbSet<PromotionRecord> Promotions => Set<PromotionRecord>();

    /// <summary>Captured requests.</summary>
    public DbSet<CaptureRecord> Captures => Set<CaptureRecord>();

    /// <summary>What administrators did.</summary>
    public DbSet<AuditRecord> Audit => Set<AuditRecord>();

    /// <inheritdoc/>
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<JobRecord>(table =>
        {
            table.ToTable("jobs").HasKey(job => job.Id);
            table.HasIndex(job => job.Number).IsUnique();
            table.HasIndex(job => job.Status);
        });
        modelBuilder.Entity<FileRecord>(table =>
        {
            table.ToTable("files").HasKey(file => file.Id);
            table.HasIndex(file => file.Number).IsUnique();
        });
        modelBuilder.Entity<EventRecord>().ToTable("events").HasKey(item => new { item.JobId, item.Sequence });
        modelBuilder.Entity<MetricRecord>().ToTable("metrics").HasKey(item => new { item.JobId, item.Step, item.Name });
        modelBuilder.Entity<SampleRecord>().ToTable("samples").HasKey(item => new { item.JobId, item.Step, item.Place });
        modelBuilder.Entity<EditRecord>(table =>
        {
            table.ToTable("edits").HasKey(item => new { item.JobId, item.Sequence });
            table.Property(item => item.Sequence).ValueGeneratedNever();
        });
        modelBuilder.Entity<CheckpointRecord>().ToTable("checkpoints").HasKey(item => new { item.JobId, item.Step });
        modelBuilder.Entity<ModelRecord>().ToTable("models").HasKey(model => model.Name);
        modelBuilder.Entity<EvaluationRecord>().ToTable("evaluations").HasKey(item => new { item.WeightVersion, item.DataHash });
        modelBuilder.Entity<PromotionRecord>(table =>
        {
            table.ToTable("promotions").HasKey(item => item.Sequence);
            table.Property(item => item.Sequence).ValueGeneratedNever();
        });
        modelBuilder.Entity<CaptureRecord>(table =>
        {
            table.ToTable("captures").HasKey(capture => capture.Id);
            table.HasIndex(capture => capture.Number).IsUnique();
            table.HasIndex(capture => capture.Status);
            table.HasIndex(capture => capture.CreatedAt);
        });
        modelBuilder.Entity<AuditRecord>(table =>
        {
            table.ToTable("audit").HasKey(item => item.Sequence);
            table.Property(item => item.Sequence).ValueGeneratedNever();
        });
    }
}
