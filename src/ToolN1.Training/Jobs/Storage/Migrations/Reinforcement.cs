using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace ToolN1.Training.Jobs.Storage.Migrations;

/// <summary>What reinforcement jobs add: changes of values while a job runs, and samples of its rollouts.</summary>
[DbContext(typeof(TrainingContext))]
[Migration("20261126000000_Reinforcement")]
internal sealed class Reinforcement : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable(
            name: "edits",
            columns: table => new
            {
                JobId = table.Column<string>(nullable: false),
                Sequence = table.Column<long>(nullable: false),
                FromStep = table.Column<int>(nullable: true),
                Values = table.Column<string>(nullable: false),
                CreatedAt = table.Column<long>(nullable: false),
            },
            constraints: table => table.PrimaryKey("PK_edits", row => new { row.JobId, row.Sequence }));
        migrationBuilder.AddColumn<string>(name: "Kind", table: "samples", nullable: false, defaultValue: SampleKind.HeldOut);
        migrationBuilder.AddColumn<string>(name: "Failure", table: "samples", nullable: true);
        migrationBuilder.AddColumn<string>(name: "GroupRewards", table: "samples", nullable: true);
    }

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropTable(name: "edits");
        migrationBuilder.DropColumn(name: "Kind", table: "samples");
        migrationBuilder.DropColumn(name: "Failure", table: "samples");
        migrationBuilder.DropColumn(name: "GroupRewards", table: "samples");
    }
}
