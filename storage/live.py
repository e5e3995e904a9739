"""What a running trial shows to the outside: a heartbeat that is replaced, and a curve that only grows."""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from types import NoneType
from typing import Any

from storage.paths import RunFolder
from storage.records import read_record, write_record


@dataclass(frozen=True)
class Heartbeat:
    """The state of one running trial, written by its worker at least twice a second."""

    trial: int
    pid: int
    pid_created: float  # seconds since the epoch; with the pid it names one process for good
    phase: str  # start, collect, update, evaluate, save, tell
    timesteps: int  # env steps so far, over all training envs
    total_timesteps: int
    steps_per_s: float  # training env steps per second of the last few seconds, all phases included
    episodes: int  # training episodes ended so far
    last_return: float | None  # undiscounted return of the newest training episode
    last_evaluation: float | None  # mean undiscounted return of the newest evaluation
    started_at: float  # seconds since the epoch
    updated_at: float


@dataclass(frozen=True)
class Curve:
    """What one trial has shown while it trained."""

    episodes: tuple[tuple[int, float], ...]  # (env steps, undiscounted return) of training episodes
    evaluations: tuple[tuple[int, float, float], ...]  # (env steps, mean return, std over episodes)


def write_heartbeat(folder: RunFolder, heartbeat: Heartbeat) -> None:
    """Replace the trial's heartbeat; not synced, it is worthless after a power loss anyway."""
    write_record(folder.heartbeats / f"{heartbeat.trial}.json", asdict(heartbeat), durable=False)


def drop_heartbeat(folder: RunFolder, trial: int) -> None:
    """Remove the heartbeat of a trial that has ended."""
    (folder.heartbeats / f"{trial}.json").unlink(missing_ok=True)


def read_heartbeats(folder: RunFolder) -> list[Heartbeat]:
    """Return the heartbeats that are there, by trial. A dead worker's stays until its trial is failed."""
    if not folder.heartbeats.is_dir():
        return []
    beats = []
    for path in folder.heartbeats.glob("[0-9]*.json"):
        beat = _heartbeat(read_record(path) or {})
        if beat and path.name == f"{beat.trial}.json":
            beats.append(beat)  # else removed while we looked, written by another version, or by hand
    return sorted(beats, key=lambda beat: beat.trial)


def append_curve(
    folder: RunFolder,
    trial: int,
    episodes: Sequence[tuple[int, float]],
    evaluations: Sequence[tuple[int, float, float]] = (),
) -> None:
    """Append points to the trial's curve with one write: readers see whole lines or a torn last one.

    Raises:
        OSError: a full disk, for one; then none of the points is there.
    """
    rows: list[list[Any]] = [["t", *row] for row in episodes] + [["e", *row] for row in evaluations]
    if not rows:
        return
    folder.curves.mkdir(exist_ok=True)
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path = folder.curves / f"{trial}.jsonl"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        before = os.fstat(descriptor).st_size
        try:
            while data:  # on a disk that fills up the first write may be cut short, and says nothing
                data = data[os.write(descriptor, data) :]
        except OSError:
            with suppress(OSError):
                os.ftruncate(descriptor, before)
            raise
    finally:
        os.close(descriptor)


def drop_curve(folder: RunFolder, trial: int) -> None:
    """Remove the curve of something that is trained anew."""
    (folder.curves / f"{trial}.jsonl").unlink(missing_ok=True)


def read_curve(folder: RunFolder, trial: int) -> Curve:
    """Return the trial's curve so far; empty when it has shown nothing yet."""
    episodes, evaluations = [], []
    try:
        lines = (folder.curves / f"{trial}.jsonl").read_bytes().splitlines()
    except OSError:
        lines = []
    for line in lines:
        try:
            kind, *row = json.loads(line)
            if kind == "t":
                episodes.append((int(row[0]), float(row[1])))
            else:
                evaluations.append((int(row[0]), float(row[1]), float(row[2])))
        except (ValueError, TypeError, IndexError, OverflowError, RecursionError):
            continue  # a torn line of a killed worker
    return Curve(tuple(episodes), tuple(evaluations))


_KINDS: dict[object, tuple[type, ...]] = {
    int: (int,),
    float: (int, float),
    float | None: (int, float, NoneType),
    str: (str,),
}


def _heartbeat(record: dict[str, Any]) -> Heartbeat | None:
    """Return the record as a heartbeat, or None when it is none: others build paths and rates from it."""
    if record.keys() != {field.name for field in fields(Heartbeat)}:
        return None
    for field in fields(Heartbeat):
        value = record[field.name]
        if isinstance(value, bool) or not isinstance(value, _KINDS[field.type]):
            return None
        if isinstance(value, int | float) and not abs(value) < 1e300:
            return None
    return Heartbeat(**record)
