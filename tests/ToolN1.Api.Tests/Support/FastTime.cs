namespace ToolN1.Api.Tests.Support;

/// <summary>A clock whose timers go a thousand times faster.</summary>
internal sealed class FastTime : TimeProvider
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => base.CreateTimer(callback, state, dueTime / 1000, period);
}
