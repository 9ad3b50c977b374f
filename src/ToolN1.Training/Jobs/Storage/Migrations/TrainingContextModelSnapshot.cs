using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace ToolN1.Training.Jobs.Storage.Migrations;

/// <summary>The schema after the last migration; a test holds it against <see cref="TrainingContext"/>.</summary>
[DbContext(typeof(TrainingContext))]
internal sealed class TrainingContextModelSnapshot : ModelSnapshot
{
    private const string Records = "ToolN1.Training.Jobs.Storage.";

    /// <inheritdoc/>
    protected override void BuildModel(ModelBuilder modelBuilder)
    {
        modelBuilder.HasAnnotation("ProductVersion", "10.0.0");
        modelBuilder.Entity(Records + "AuditRecord", table =>
        {
            table.Property<long>("Sequence").ValueGeneratedNever();
            table.Property<long>("CreatedAt");
            table.Property<string>("Who").IsRequired();
            table.Property<string>("Action").IsRequired();
            table.Property<string>("Subject").IsRequired();
            table.Property<string>("Details").IsRequired();
            table.HasKey("Sequence");
            table.ToTable("audit");
        });
        modelBuilder.Entity(Records + "CaptureRecord", table =>
        {
            table.Property<string>("Id");
            table.Property<long>("Number");
            table.Property<long>("CreatedAt");
            table.Property<string>("Status").IsRequired();
            table.Property<string>("Endpoint").IsRequired();
            table.Property<string>("Tenant");
            table.Property<string>("AnswerId").IsRequired();
            table.Property<int>("Choice");
            table.Property<string>("Model").IsRequired();
            table.Property<string>("WeightVersion").IsRequired();
            table.Property<string>("FinishReason").IsRequired();
            table.Property<string>("Request").IsRequired();
            table.Property<string>("CalledTools").IsRequired();
            table.Property<string>("Document").IsRequired();
            table.Property<string>("Redactions").IsRequired();
            table.Property<string>("Correction");
            table.Property<long?>("ReviewedAt");
            table.Property<string>("ReviewedBy");
            table.Property<string>("ExportedFile");
            table.HasKey("Id");
            table.HasIndex("Number").IsUnique();
            table.HasIndex("Status");
            table.HasIndex("CreatedAt");
            table.ToTable("captures");
        });
        modelBuilder.Entity(Records + "CheckpointRecord", table =>
        {
            table.Property<string>("JobId").IsRequired();
            table.Property<int>("Step");
            table.Property<string>("Folder").IsRequired();
            table.Property<string>("Metrics").IsRequired();
            table.Property<long>("CreatedAt");
            table.HasKey("JobId", "Step");
            table.ToTable("checkpoints");
        });
        modelBuilder.Entity(Records + "EditRecord", table =>
        {
            table.Property<string>("JobId").IsRequired();
            table.Property<long>("Sequence").ValueGeneratedNever();
            table.Property<int?>("FromStep");
            table.Property<string>("Values").IsRequired();
            table.Property<long>("CreatedAt");
            table.HasKey("JobId", "Sequence");
            table.ToTable("edits");
        });
        modelBuilder.Entity(Records + "EvaluationRecord", table =>
        {
            table.Property<string>("WeightVersion").IsRequired();
            table.Property<string>("DataHash").IsRequired();
            table.Property<string>("Verdicts").IsRequired();
            table.Property<long>("CreatedAt");
            table.HasKey("WeightVersion", "DataHash");
            table.ToTable("evaluations");
        });
        modelBuilder.Entity(Records + "EventRecord", table =>
        {
            table.Property<string>("JobId").IsRequired();
            table.Property<long>("Sequence");
            table.Property<long>("CreatedAt");
            table.Property<string>("Level").IsRequired();
            table.Property<string>("Message").IsRequired();
            table.Property<string>("Data");
            table.HasKey("JobId", "Sequence");
            table.ToTable("events");
        });
        modelBuilder.Entity(Records + "FileRecord", table =>
        {
            table.Property<string>("Id").IsRequired();
            table.Property<long>("Number");
            table.Property<string>("Name").IsRequired();
            table.Property<long>("Bytes");
            table.Property<string>("Sha256").IsRequired();
            table.Property<int>("Rows");
            table.Property<int?>("LineWithoutReasoning");
            table.Property<long>("CreatedAt");
            table.HasKey("Id");
            table.HasIndex("Number").IsUnique();
            table.ToTable("files");
        });
        modelBuilder.Entity(Records + "JobRecord", table =>
        {
            table.Property<string>("Id").IsRequired();
            table.Property<long>("Number");
            table.Property<string>("Status").IsRequired();
            table.Property<string>("Wish").IsRequired();
            table.Property<string>("Model").IsRequired();
            table.Property<string>("StartModel").IsRequired();
            table.Property<string>("Method").IsRequired();
            table.Property<string>("Settings").IsRequired();
            table.Property<string>("TrainingFile").IsRequired();
            table.Property<string>("DataHash").IsRequired();
            table.Property<string>("ValidationFile");
            table.Property<int>("Seed");
            table.Property<string>("Suffix");
            table.Property<string>("Metadata").IsRequired();
            table.Property<int>("Step");
            table.Property<int>("TotalSteps");
            table.Property<long?>("TrainedTokens");
            table.Property<string>("FineTunedModel");
            table.Property<long>("CreatedAt");
            table.Property<long?>("StartedAt");
            table.Property<long?>("EstimatedFinish");
            table.Property<long?>("FinishedAt");
            table.Property<string>("ErrorCode");
            table.Property<string>("ErrorMessage");
            table.Property<string>("ErrorParam");
            table.HasKey("Id");
            table.HasIndex("Number").IsUnique();
            table.HasIndex("Status");
            table.ToTable("jobs");
        });
        modelBuilder.Entity(Records + "MetricRecord", table =>
        {
            table.Property<string>("JobId").IsRequired();
            table.Property<int>("Step");
            table.Property<string>("Name").IsRequired();
            table.Property<double>("Value");
            table.HasKey("JobId", "Step", "Name");
            table.ToTable("metrics");
        });
        modelBuilder.Entity(Records + "ModelRecord", table =>
        {
            table.Property<string>("Name").IsRequired();
            table.Property<string>("BaseModel").IsRequired();
            table.Property<string>("JobId").IsRequired();
            table.Property<int>("Step");
            table.Property<string>("Folder").IsRequired();
            table.Property<string>("WeightVersion").IsRequired();
            table.Property<string>("DataHash").IsRequired();
            table.Property<long>("CreatedAt");
            table.HasKey("Name");
            table.ToTable("models");
        });
        modelBuilder.Entity(Records + "PromotionRecord", table =>
        {
            table.Property<long>("Sequence").ValueGeneratedNever();
            table.Property<string>("Model").IsRequired();
            table.Property<string>("BaseModel").IsRequired();
            table.Property<bool>("IsRolledBack");
            table.Property<long>("CreatedAt");
            table.HasKey("Sequence");
            table.ToTable("promotions");
        });
        modelBuilder.Entity(Records + "SampleRecord", table =>
        {
            table.Property<string>("JobId").IsRequired();
            table.Property<int>("Step");
            table.Property<int>("Place");
            table.Property<string>("Kind").IsRequired();
            table.Property<string>("Request").IsRequired();
            table.Property<string>("Expected").IsRequired();
            table.Property<string>("Completion").IsRequired();
            table.Property<double>("Reward");
            table.Property<string>("Failure");
            table.Property<string>("GroupRewards");
            table.HasKey("JobId", "Step", "Place");
            table.ToTable("samples");
        });
    }
}
