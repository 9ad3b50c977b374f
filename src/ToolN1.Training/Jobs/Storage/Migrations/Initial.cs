using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace ToolN1.Training.Jobs.Storage.Migrations;

/// <summary>The first schema. Without column types: each database chooses its own.</summary>
[DbContext(typeof(TrainingContext))]
[Migration("20261125000000_Initial")]
internal sealed class Initial : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable(
            name: "audit",
            columns: table => new
            {
                Sequence = table.Column<long>(nullable: false),
                CreatedAt = table.Column<long>(nullable: false),
                Who = table.Column<string>(nullable: false),
                Action = table.Column<string>(nullable: false),
                Subject = table.Column<string>(nullable: false),
                Details = table.Column<string>(nullable: false),
            },
            constraints: table => table.PrimaryKey("PK_audit", row => row.Sequence));
        migrationBuilder.CreateTable(
            name: "checkpoints",
            columns: table => new
            {
                JobId = table.Column<string>(nullable: false),
                Step = table.Column<int>(nullable: false),
                Folder = table.Column<string>(nullable: false),
                Metrics = table.Column<string>(nullable: false),
                CreatedAt = table.Column<long>(nullable: false),
            },
            constraints: table => table.PrimaryKey("PK_checkpoints", row => new { row.JobId, row.Step }));
        migrationBuilder.CreateTable(
            name: "evaluations",
            columns: table => new
            {
                WeightVersion = table.Column<string>(nullable: false),
                DataHash = table.Column<string>(nullable: false),
                Verdicts = table.Column<string>(nullable: false),
                CreatedAt = table.Column<long>(nullable: false),
            },
            constraints: table => table.PrimaryKey("PK_evaluations", row => new { row.WeightVersion, row.DataHash }));
        migrationBuilder.CreateTable(
            name: "events",
            columns: table => new
            {
                JobId = table.Column<string>(nullable: false),
                Sequence = table.Column<long>(nullable: false),
                CreatedAt = table.Column<long>(nullable: false),
                Level = table.Column<string>(nullable: false),
                Message = table.Column<string>(nullable: false),
                Data = table.Column<string>(nullable: true),
            },
            constraints: table => table.PrimaryKey("PK_events", row => new { row.JobId, row.Sequence }));
        migrationBuilder.CreateTable(
            name: "files",
            columns: table => new
            {
                Id = table.Column<string>(nullable: false),
                Number = table.Column<long>(nullable: false),
                Name = table.Column<string>(nullable: false),
                Bytes = table.Column<long>(nullable: false),
                Sha256 = table.Column<string>(nullable: false),
                Rows = table.Column<int>(nullable: false),
                LineWithoutReasoning = table.Column<int>(nullable: true),
                CreatedAt = table.Column<long>(nullable: false),
            },
            constraints: table => table.PrimaryKey("PK_files", row => row.Id));
        migrationBuilder.CreateTable(
            name: "jobs",
            columns: table => new
            {
                Id = table.Column<string>(nullable: false),
                Number = table.Column<long>(nullable: false),
                Status = table.Column<string>(nullable: false),
                Wish = table.Column<string>(nullable: false),
                Model = table.Column<string>(nullable: false),
                StartModel = table.Column<string>(nullable: false),
                Method = table.Column<string>(nullable: false),
                Settings = table.Column<string>(nullable: false),
                TrainingFile = table.Column<string>(nullable: false),
                DataHash = table.Column<string>(nullable: false),
                ValidationFile = table.Column<string>(nullable: true),
                Seed = table.Column<int>(nullable: false),
                Suffix = table.Column<string>(nullable: true),
                Metadata = table.Column<string>(nullable: false),
                Step = table.Column<int>(nullable: false),
                TotalSteps = table.Column<int>(nullable: false),
                TrainedTokens = table.Column<long>(nullable: true),
                FineTunedModel = table.Column<string>(nullable: true),
                CreatedAt = table.Column<long>(nullable: false),
                StartedAt = table.Column<long>(nullable: true),
                EstimatedFinish = table.Column<long>(nullable: true),
                FinishedAt = table.Column<long>(nullable: true),
                ErrorCode = table.Column<string>(nullable: true),
                ErrorMessage = table.Column<string>(nullable: true),
                ErrorParam = table.Column<string>(nullable: true),
            },
            constraints: table => table.PrimaryKey("PK_jobs", row => row.Id));
        migrationBuilder.CreateTable(
            name: "metrics",
            columns: table => new
            {
                JobId = table.Column<string>(nullable: false),
                Step = table.Column<int>(nullable: false),
                Name = table.Column<string>(nullable: false),
                Value = table.Column<double>(nullable: false),
            },
            constraints: table => table.PrimaryKey("PK_metrics", row => new { row.JobId, row.Step, row.Name }));
        migrationBuilder.CreateTable(
            name: "models",
            columns: table => new
            {
                Name = table.Column<string>(nullable: false),
                BaseModel = table.Column<string>(nullable: false),
                JobId = table.Column<string>(nullable: false),
                Step = table.Column<int>(nullable: false),
                Folder = table.Column<string>(nullable: false),
                WeightVersion = table.Column<string>(nullable: false),
                DataHash = table.Column<string>(nullable: false),
                CreatedAt = table.Column<long>(nullable: false),
            },
            constraints: table => table.PrimaryKey("PK_models", row => row.Name));
        migrationBuilder.CreateTable(
            name: "promotions",
            columns: table => new
            {
                Sequence = table.Column<long>(nullable: false),
                Model = table.Column<string>(nullable: false),
                BaseModel = table.Column<string>(nullable: false),
                IsRolledBack = table.Column<bool>(nullable: false),
                CreatedAt = table.Column<long>(nullable: false),
            },
            constraints: table => table.PrimaryKey("PK_promotions", row => row.Sequence));
        migrationBuilder.CreateTable(
            name: "samples",
            columns: table => new
            {
                JobId = table.Column<string>(nullable: false),
                Step = table.Column<int>(nullable: false),
                Place = table.Column<int>(nullable: false),
                Request = table.Column<string>(nullable: false),
                Expected = table.Column<string>(nullable: false),
                Completion = table.Column<string>(nullable: false),
                Reward = table.Column<double>(nullable: false),
            },
            constraints: table => table.PrimaryKey("PK_samples", row => new { row.JobId, row.Step, row.Place }));
        migrationBuilder.CreateIndex(name: "IX_files_Number", table: "files", column: "Number", unique: true);
        migrationBuilder.CreateIndex(name: "IX_jobs_Number", table: "jobs", column: "Number", unique: true);
        migrationBuilder.CreateIndex(name: "IX_jobs_Status", table: "jobs", column: "Status");
    }

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropTable(name: "audit");
        migrationBuilder.DropTable(name: "checkpoints");
        migrationBuilder.DropTable(name: "evaluations");
        migrationBuilder.DropTable(name: "events");
        migrationBuilder.DropTable(name: "files");
        migrationBuilder.DropTable(name: "jobs");
        migrationBuilder.DropTable(name: "metrics");
        migrationBuilder.DropTable(name: "models");
        migrationBuilder.DropTable(name: "promotions");
        migrationBuilder.DropTable(name: "samples");
    }
}
