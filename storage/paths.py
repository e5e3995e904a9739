"""Where a run keeps its files, and which names may become a path."""

import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class UnknownRun(LookupError):
    """There is no run with this id under the runs folder."""


def check_name(name: str, what: str = "name") -> str:
    """Return `name` when it is safe as one path component.

    Raises:
        ValueError: it is empty, too long, or holds anything but letters, digits, `.`, `_` and `-`.
    """
    if not NAME_PATTERN.fullmatch(name):
        raise ValueError(
            f"{what} must be 1 to 64 letters, digits, '.', '_' or '-', starting with a letter or digit: "
            f"received {name[:80]!r}."
        )
    return name


def runs_root(runs_dir: str | Path | None = None) -> Path:
    """Return the absolute folder of all runs: the argument, else EDGEWISE_RUNS_DIR, else ./runs."""
    return Path(runs_dir or os.environ.get("EDGEWISE_RUNS_DIR") or "runs").expanduser().resolve()


@dataclass(frozen=True)
class RunFolder:
    """The files of one run. Every path is absolute; nothing here touches the disk."""

    path: Path

    @property
    def id(self) -> str:
        """The run's id: its folder's name."""
        return self.path.name

    @property
    def spec(self) -> Path:
        """The validated request, JSON."""
        return self.path / "spec.json"

    @property
    def job(self) -> Path:
        """What kind of job this is and when it was created, JSON."""
        return self.path / "job.json"

    @property
    def journal(self) -> Path:
        """The Optuna journal log."""
        return self.path / "journal.log"

    @property
    def lock(self) -> Path:
        """Locked by the runner for life: the truth about "running"."""
        return self.path / "run.lock"

    @property
    def runner(self) -> Path:
        """Who runs: pid, creation time, start; JSON."""
        return self.path / "runner.json"

    @property
    def stop(self) -> Path:
        """Asks the runner to stop: its content is the mode."""
        return self.path / "stop"

    @property
    def exit(self) -> Path:
        """How the last runner ended, JSON; absent while one runs and after a crash."""
        return self.path / "exit.json"

    @property
    def ticket(self) -> Path:
        """Its place in the queue of studies that wait for their turn, JSON; absent in all others."""
        return self.path / "queued.json"

    @property
    def log(self) -> Path:
        """What the runner and its workers print."""
        return self.path / "run.log"

    @property
    def heartbeats(self) -> Path:
        """One small JSON file for each running trial, replaced at least once a second."""
        return self.path / "heartbeats"

    @property
    def curves(self) -> Path:
        """One append-only file of episode returns and evaluations for each trial."""
        return self.path / "curves"

    @property
    def weights(self) -> Path:
        """One folder for each kept trial: its policy's arrays and its resolved request."""
        return self.path / "weights"

    @property
    def pins(self) -> Path:
        """One empty file for each pinned trial, named by its number."""
        return self.path / "pins"

    @property
    def parent(self) -> Path:
        """Which study this one continues and with which ranges, JSON; absent in studies that begin anew."""
        return self.path / "parent.json"

    @property
    def plan(self) -> Path:
        """What a retraining job trains, JSON."""
        return self.path / "plan.json"

    @property
    def question(self) -> Path:
        """What the runs of a probe are to answer, JSON."""
        return self.path / "probe.json"

    @property
    def results(self) -> Path:
        """How each run of a retraining job ended, one JSON object a line, append-only."""
        return self.path / "results.jsonl"

    @property
    def budget_lock(self) -> Path:
        """Held while somebody looks at how much of the budget is used and then sets it."""
        return self.path / "budget.lock"

    @property
    def jobs(self) -> Path:
        """Folders of the jobs that belong to this run, such as probes; each is a run folder of its own."""
        return self.path / "jobs"

    @property
    def reevaluation(self) -> Path:
        """What the runs of a re-evaluation are to answer, JSON."""
        return self.path / "reevaluation.json"

    @property
    def budget_check(self) -> Path:
        """What the runs of a budget check are to answer, JSON."""
        return self.path / "budget_check.json"

    @property
    def rollouts(self) -> Path:
        """Folders of rendered rollouts; each is a run folder of its own, with its videos in it."""
        return self.path / "rollouts"

    @property
    def rollout(self) -> Path:
        """Which policies a rollout shows, and from which start, JSON."""
        return self.path / "rollout.json"

    @property
    def result(self) -> Path:
        """What came of a rollout, JSON; absent until it is finished."""
        return self.path / "result.json"

    @property
    def winner(self) -> Path:
        """Which trial a person chose in the end, JSON; absent until then."""
        return self.path / "winner.json"

    @property
    def mapping(self) -> Path:
        """How a study that is not ours is trained again: the request that a person gave for it, JSON."""
        return self.path / "mapping.json"

    @property
    def exports(self) -> Path:
        """What was written for others and stays: a folder for each model card. The rest is downloaded."""
        return self.path / "exports"

    @property
    def remarks(self) -> Path:
        """What people say about a study: its display name, tags and notes, JSON; absent until they do."""
        return self.path / "remarks.json"

    @property
    def remarks_lock(self) -> Path:
        """Held for the moment in which the remarks are changed."""
        return self.path / "remarks.lock"

    @property
    def source(self) -> Path:
        """Where the trials of a study that is not ours lie, JSON; absent in our own studies."""
        return self.path / "source.json"


def create_run(root: Path, name: str) -> RunFolder:
    """Make a new private (0700) run folder named `<name>-<four hex digits>` and return it."""
    check_name(name, "study name")
    root.mkdir(parents=True, exist_ok=True)
    while True:
        path = root / f"{name[:56]}-{secrets.token_hex(2)}"
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            continue
        return RunFolder(path)


def find_run(root: Path, run_id: str) -> RunFolder:
    """Return the folder of an existing run.

    Raises:
        UnknownRun: the id is malformed, leaves the root, is a link, or there is no such run.
    """
    if NAME_PATTERN.fullmatch(run_id):
        path = root / run_id
        if not path.is_symlink() and (path / "job.json").is_file():
            return RunFolder(path)
    raise UnknownRun(
        f"There is no study {run_id[:80]!r} under {root}. `python -m tuning list` shows what there is."
    )


def budget_checks(root: Path) -> RunFolder:
    """Return the folder whose jobs are the budget checks: no study, so listings pass it by."""
    return RunFolder(root / ".budget-checks")


def list_runs(root: Path) -> list[RunFolder]:
    """Return every run under `root`, newest first (by the creation time of its job file)."""
    if not root.is_dir():
        return []
    created: list[tuple[float, Path]] = []
    for path in root.iterdir():
        if not NAME_PATTERN.fullmatch(path.name) or path.is_symlink():
            continue  # what `find_run` refuses, and what is being copied or deleted
        try:
            created.append(((path / "job.json").stat().st_mtime, path))
        except OSError:
            continue  # no run, or deleted while we looked
    return [RunFolder(path) for _, path in sorted(created, reverse=True)]
