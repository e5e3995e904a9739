"""One study as `list` and `status` show it."""

import time
from datetime import datetime
from typing import Any

from optuna.trial import TrialState

from storage.foreign import NoSuchStudy
from storage.journal import JournalDamaged, JournalMissing
from storage.live import Heartbeat, read_heartbeats
from storage.paths import RunFolder
from storage.remarks import read_remarks
from storage.source import SourceUnreadable
from tuning import launch, queue
from tuning.analysis.outcomes import FAILURE_WORDS
from tuning.analysis.summary import StudySummary, study_summary
from tuning.analysis.words import age, count, duration, three_digits, whole
from tuning.jobs import job_status
from tuning.launch import Run
from tuning.lineage import parent_of
from tuning.progress import Progress, study_progress
from tuning.queue_words import queued_sentence
from tuning.spec import SpecError, StudySpec
from tuning.trainers import study_trainers

UNREADABLE = (SpecError, JournalMissing, JournalDamaged, SourceUnreadable, NoSuchStudy, OSError)


def read_tidied(folder: RunFolder) -> Run:
    """Read a study, after failing and queueing again the trials that a dead runner left running.

    Raises:
        SpecError, JournalMissing, JournalDamaged: the study's files are not what they were.
    """
    run = launch.read_run(folder)
    if not run.may_run and any(t.state == TrialState.RUNNING for t in run.study.trials):
        launch.tidy(folder)
        run = launch.read_run(folder)
    return run


def record_of(folder: RunFolder, *, with_running: bool) -> dict[str, Any]:
    """Return a study as plain JSON, read with `read_tidied`.

    Keys: id, called (the name it was given later; empty without one), tags, note, archived, name, env,
    algorithm, trainer (as asked for), trained_by (whose code did, in words; empty while unknown), state,
    reason, done, total (complete + pruned trials), fraction, eta_s, steps_per_s, best (trial and value, or
    null), counts (by state), failures (by kind), created_at, started_at, ended_at (seconds since the epoch),
    folder, imported (trials taken over, in no other count), continues (id of the study they came from, or
    null), queue (place in the queue: position, of, waits_for in words; null when it does not wait);
    `running` with the heartbeat of each running trial where asked for.

    Raises:
        SpecError, JournalMissing, JournalDamaged: the study's files are not what they were.
    """
    run = read_tidied(folder)
    beats = read_heartbeats(folder) if run.status.state.alive else []
    summary = study_summary(run.study.trials, maximize=run.study.maximize)
    if run.spec is None:
        return _opened_record(run, summary, with_running=with_running)
    progress = study_progress(run.spec, run.study.trials, beats, now=datetime.now())
    record = _record(run, run.spec, progress, summary)
    if with_running:
        record["running"] = [_running(beat) for beat in beats]
    return record


def unreadable_record(folder: RunFolder, error: Exception) -> dict[str, Any]:
    """Return what is left to say about a study whose files cannot be read."""
    status = job_status(folder)
    return {
        "id": folder.id,
        "state": status.state.value,
        "created_at": status.created_at,
        "folder": str(folder.path),
        "error": str(error),
    }


def row_of(record: dict[str, Any]) -> list[str]:
    """Return one line of `list`: id, env, state, trials, best, age."""
    made = age(time.time() - record["created_at"])
    if "error" in record:
        return [record["id"], "", record["state"], "", "", made, f"cannot be read: {record['error']}"]
    best = record["best"]
    return [
        record["id"],
        f"{record['called']}: {_task(record)}" if record["called"] else _task(record),
        record["state"],
        whole(record["done"]) + (f"/{whole(record['total'])}" if record["total"] else ""),
        three_digits(best["value"]) if best else "",
        made,
        _remark(record),
    ]


def _remark(record: dict[str, Any]) -> str:
    if record["queue"]:
        return f"{record['queue']['position']} of {record['queue']['of']} in the queue"
    return str(record["reason"]) if record["state"] in ("failed", "interrupted") else ""


def sentences_of(record: dict[str, Any]) -> str:
    """Return the lines of `status`."""
    called = f" ({record['called']})" if record["called"] else ""
    lines = [f"{record['id']}{called}: {record['state']}"]
    if record["reason"]:
        lines.append(f"  {record['reason']}")
    if record["queue"]:
        lines.append(f"  {record['queue']['waits_for']}")
    lines.append(f"  {_task(record)}")
    failures = {FAILURE_WORDS.get(kind, "failed"): n for kind, n in record["failures"].items()}
    by_state = {**record["counts"], "failed": 0} | failures  # failed trials by what became of them
    counts = ", ".join(f"{n} {word}" for word, n in by_state.items() if n)
    total = record["total"]
    trials = (
        f"  {whole(record['done'])} of {count(total, 'trial')}"
        if total
        else f"  {count(record['done'], 'trial')}"
    )
    lines.append(f"{trials} ({counts})" if counts else trials)
    if record["trained_by"]:
        lines.append(f"  trained by {record['trained_by']}")
    if record["continues"]:
        lines.append(f"  continues {record['continues']}: {count(record['imported'], 'trial')} imported")
    best = record["best"]
    lines.append(
        f"  best {three_digits(best['value'])} (trial {best['trial']})" if best else "  no result yet"
    )
    if record["running"]:
        left = "" if record["eta_s"] is None else f", about {duration(record['eta_s'])} left"
        lines.append(f"  {whole(record['steps_per_s'])} steps/s{left}")
    for beat in record["running"]:
        shown = (
            "" if beat["last_evaluation"] is None else f", evaluated {three_digits(beat['last_evaluation'])}"
        )
        part = f"{whole(beat['timesteps'])} of {whole(beat['total_timesteps'])} steps"
        lines.append(f"  trial {beat['trial']}: {beat['phase']}, {part}{shown}")
    lines.append(f"  {record['folder']}")
    return "\n".join(lines)


def _task(record: dict[str, Any]) -> str:
    if record["env"] is None:
        return f"{record['source']['study']} in {record['source']['path']}"
    return f"{record['algorithm']} on {record['env']['id']}"


def progress_line(progress: Progress, summary: StudySummary) -> str:
    """Return the line that `--wait` shows: done/total, best, steps/s, time left."""
    parts = [f"{whole(progress.done)}/{whole(progress.total)} trials"]
    if summary.n_failed:
        parts.append(f"{whole(summary.n_failed)} failed")
    if summary.best_value is not None:
        parts.append(f"best {three_digits(summary.best_value)}")
    if progress.steps_per_s:
        parts.append(f"{whole(progress.steps_per_s)} steps/s")
    if progress.eta_s is not None:
        parts.append(f"{duration(progress.eta_s)} left")
    return "  ".join(parts)


def _opened_record(run: Run, summary: StudySummary, *, with_running: bool) -> dict[str, Any]:
    """Return a study that is not ours with the same keys, and where it lies; null is what only we record."""
    assert run.source is not None
    record = {
        **_said(run.folder),
        "name": run.study.name,
        "env": None,
        "algorithm": None,
        "trainer": None,
        "trained_by": "",
        "state": run.status.state.value,
        "reason": "",
        "done": summary.n_counted,
        **dict.fromkeys(("total", "fraction", "eta_s", "steps_per_s")),
        **_results(summary),
        "created_at": run.status.created_at,
        "started_at": None,
        "ended_at": None,
        "folder": str(run.folder.path),
        "continues": None,
        "queue": None,
        "source": {"path": str(run.source.path), "study": run.source.study, "kind": run.source.kind},
    }
    return {**record, "running": []} if with_running else record


def _said(folder: RunFolder) -> dict[str, Any]:
    """Return the id, and what people say about the study on the pages."""
    remarks = read_remarks(folder)
    return {
        "id": folder.id,
        "called": remarks.name,
        "tags": list(remarks.tags),
        "note": remarks.note,
        "archived": remarks.archived,
    }


def _results(summary: StudySummary) -> dict[str, Any]:
    best = None
    if summary.best_value is not None:
        best = {"trial": summary.best_number, "value": summary.best_value}
    return {
        "best": best,
        "counts": {
            "complete": summary.n_complete,
            "pruned": summary.n_pruned,
            "failed": summary.n_failed,
            "running": summary.n_running,
            "waiting": summary.n_waiting,
        },
        "failures": dict(summary.failures),
        "imported": summary.n_imported,
    }


def _record(run: Run, spec: StudySpec, progress: Progress, summary: StudySummary) -> dict[str, Any]:
    status = run.status
    return {
        **_said(run.folder),
        "name": spec.name,
        "env": spec.env.record(),
        "algorithm": spec.algorithm,
        "trainer": spec.trainer,
        "trained_by": study_trainers(run.study.trials),
        "state": status.state.value,
        "reason": status.reason,
        "done": progress.done,
        "total": progress.total,
        "fraction": progress.fraction,
        "eta_s": progress.eta_s,
        "steps_per_s": progress.steps_per_s,
        **_results(summary),
        "created_at": status.created_at,
        "started_at": status.started_at,
        "ended_at": status.ended_at,
        "folder": str(run.folder.path),
        "continues": parent.id if (parent := parent_of(run.folder)) else None,
        "queue": _place(run.folder),
    }


def _place(folder: RunFolder) -> dict[str, Any] | None:
    place = queue.place(folder)
    if place is None:
        return None
    return {"position": place.position, "of": place.n_waiting, "waits_for": queued_sentence(place)}


def _running(beat: Heartbeat) -> dict[str, Any]:
    return {
        "trial": beat.trial,
        "phase": beat.phase,
        "timesteps": beat.timesteps,
        "total_timesteps": beat.total_timesteps,
        "steps_per_s": beat.steps_per_s,
        "last_return": beat.last_return,
        "last_evaluation": beat.last_evaluation,
    }
