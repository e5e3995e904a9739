"""What state a study is in, why, and what a person can do about it: one sentence."""

from pages.components import frame
from tuning.analysis.look import count, duration, three_digits
from tuning.analysis.summary import StudySummary
from tuning.jobs import JobState
from tuning.launch import Run
from tuning.progress import Progress


def state_sentence(run: Run, summary: StudySummary, progress: Progress, *, now: float) -> str:
    """Return the answer to "how is it going?" as Markdown; `now` in seconds since the epoch."""
    status = run.status
    done = f"{progress.done} of {count(progress.total, 'trial')}"
    best = ""
    if summary.best_value is not None:
        best = f" The best is {three_digits(summary.best_value)} (trial {summary.best_number})."
    reason = f" {frame.escape(status.reason.strip().rstrip('.'))}." if status.reason.strip() else ""
    match status.state:
        case JobState.CREATED:
            return "It has not started yet. Start it when you are ready."
        case JobState.QUEUED:
            return f"Queued: it starts by itself. {done} done.{best}"
        case JobState.RUNNING:
            since = duration(now - status.started_at) if status.started_at else "a moment"
            left = f", about {duration(progress.eta_s)} left" if progress.eta_s is not None else ""
            return f"Running for {since}: {done} done{left}.{best}"
        case JobState.STOPPING:
            return f"Stopping: {done} done. What still runs is ending.{best}"
        case JobState.FINISHED:
            took = ""
            if status.started_at and status.ended_at:
                took = f" after {duration(status.ended_at - status.started_at)}"
            return f"Finished{took}: {done} done.{best}"
        case JobState.STOPPED:
            return f"Stopped with {done} done.{reason} Resume goes on from here.{best}"
        case JobState.FAILED:
            return f"Failed with {done} done.{reason} Read the log below, then resume.{best}"
    return (
        f"Interrupted with {done} done: its runner ended without a word, as after a reboot. What was running "
        f"has been failed and queued again. Resume goes on from here.{best}"
    )
