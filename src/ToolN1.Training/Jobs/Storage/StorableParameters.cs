using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace ToolN1.Training.Jobs.Storage;

/// <summary>
/// Makes every text that goes to the database, to be kept or to be looked for, one that each of them takes: PostgreSQL
/// refuses a parameter with NUL. An id that holds one is then found nowhere, as in SQLite.
/// </summary>
internal sealed class StorableParameters : DbCommandInterceptor
{
    /// <inheritdoc/>
    public override DbCommand CommandInitialized(CommandEndEventData eventData, DbCommand result)
    {
        foreach (DbParameter parameter in result.Parameters)
        {
            if (parameter.Value is string text)
            {
                parameter.Value = text.Storable();
            }
        }

        return result;
    }
}
