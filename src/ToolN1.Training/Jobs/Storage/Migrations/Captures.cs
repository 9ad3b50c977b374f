using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace ToolN1.Training.Jobs.Storage.Migrations;

/// <summary>Captured requests.</summary>
[DbContext(typeof(TrainingContext))]
[Migration("20261126040000_Captures")]
internal sealed class Captures : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable(
            name: "captures",
            columns: table => new
            {
                Id = table.Column<string>(nullable: false),
                Number = table.Column<long>(nullable: false),
                CreatedAt = table.Column<long>(nullable: false),
                Status = table.Column<string>(nullable: false),
                Endpoint = table.Column<string>(nullable: false),
                Tenant = table.Column<string>(nullable: true),
                AnswerId = table.Column<string>(nullable: false),
                Choice = table.Column<int>(nullable: false),
                Model = table.Column<string>(nullable: false),
                WeightVersion = table.Column<string>(nullable: false),
                FinishReason = table.Column<string>(nullable: false),
                Request = table.Column<string>(nullable: false),
                CalledTools = table.Column<string>(nullable: false),
                Document = table.Column<string>(nullable: false),
                Redactions = table.Column<string>(nullable: false),
                Correction = table.Column<string>(nullable: true),
                ReviewedAt = table.Column<long>(nullable: true),
                ReviewedBy = table.Column<string>(nullable: true),
                ExportedFile = table.Column<string>(nullable: true),
            },
            constraints: table => table.PrimaryKey("PK_captures", row => row.Id));
        migrationBuilder.CreateIndex(name: "IX_captures_Number", table: "captures", column: "Number", unique: true);
        migrationBuilder.CreateIndex(name: "IX_captures_Status", table: "captures", column: "Status");
        migrationBuilder.CreateIndex(name: "IX_captures_CreatedAt", table: "captures", column: "CreatedAt");
    }

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.DropTable(name: "captures");
}
