"""Measure what trials cost on this machine, and keep what was measured. Light: the probes have torch."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from pydantic import ValidationError

from storage.records import MAX_RECORD_BYTES, write_text
from tuning.calibration import N_CONFIGURATIONS, Calibration, Cost, key_of, n_side_by_side
from tuning.cores import usable_cores
from tuning.estimate import space_sample, training_seconds
from tuning.jobs import PROJECT_ROOT
from tuning.space.resolve import resolve_configuration
from tuning.spec import StudySpec

SLICE_S = 1.0  # of training, for each configuration
LIMIT_S = 45.0  # for everything; a slow environment is measured by what came of that
FOLDER = ".calibrations"  # in the runs folder; no id, so listings pass it by
BUSY_S = 0.3  # for which it looks how busy the machine is
MOST_KEPT = 64
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class CalibrationError(RuntimeError):
    """Nothing could be measured."""


def calibrate(
    spec: StudySpec,
    root: Path,
    *,
    slice_s: float = SLICE_S,
    limit_s: float = LIMIT_S,
    say: Callable[[str], None] = lambda sentence: None,
) -> Calibration:
    """Train some configurations of the space, alone and side by side, and keep what it cost.

    Args:
        spec: the request.
        root: the runs folder, where the result is kept.
        slice_s: of training for each configuration, in seconds.
        limit_s: for everything; what was measured until then counts.
        say: called with what it does, now and then.

    Raises:
        CalibrationError: no configuration could be measured in that time.
    """
    numbers = _spread(spec)
    together = n_side_by_side(spec)
    busy_cores = psutil.cpu_percent(interval=BUSY_S) / 100 * (psutil.cpu_count() or 1)
    deadline = time.monotonic() + limit_s
    say(f"Starting {together} processes" if together > 1 else "Starting a process")
    probes = [_Probe(spec) for _ in range(together)]
    try:
        hello = [probe.answer(deadline) for probe in probes]
        said = [record["failure"] for record in hello if record and "failure" in record]
        ready = [record for record in hello if record and "start_s" in record]
        if not ready:
            raise CalibrationError(said[0] if said else f"Nothing was ready within {limit_s:.0f} s.")
        alone: list[Cost] = []
        for k, number in enumerate(numbers):
            say(f"Training configuration {k + 1} of {len(numbers)}, alone")
            probes[0].ask(number, slice_s)
            _take(probes[0].answer(deadline), alone, said)
        if not alone:
            raise CalibrationError(
                said[0] if said else f"No configuration learned anything within {limit_s:.0f} s."
            )
        beside: list[Cost] = []
        known = [cost.configuration for cost in alone]
        for k in range(len(known) if together > 1 else 0):
            say(f"Training {together} configurations side by side, round {k + 1} of {len(known)}")
            for place, probe in enumerate(probes):
                probe.ask(known[(k + place) % len(known)], slice_s)
            for probe in probes:
                _take(probe.answer(deadline), beside, said)
    finally:
        for probe in probes:
            probe.kill()
    found = Calibration(
        measured_at=time.time(),
        n_cores=usable_cores(),
        busy_cores=busy_cores,
        start_s=max(record["start_s"] for record in ready),
        time_limit=ready[0]["time_limit"],
        alone=tuple(alone),
        n_together=together if beside else 1,
        together=tuple(beside),
        failures=tuple(dict.fromkeys(said)),
    )
    keep(root, spec, found)
    return found


def keep(root: Path, spec: StudySpec, found: Calibration) -> None:
    """Keep a calibration in the runs folder; the oldest of many go. A full disk is no reason to fail."""
    folder = root / FOLDER
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_text(folder / f"{key_of(spec)}.json", found.model_dump_json(indent=1))
        files = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in files[MOST_KEPT:]:
            path.unlink(missing_ok=True)
    except OSError:
        return


def kept(root: Path, spec: StudySpec) -> Calibration | None:
    """Return what was measured for such a request on this machine, or None."""
    path = root / FOLDER / f"{key_of(spec)}.json"
    try:
        with path.open("rb") as file:
            return Calibration.model_validate_json(file.read(MAX_RECORD_BYTES))
    except (OSError, ValidationError):
        return None


def _spread(spec: StudySpec) -> list[int]:
    """Return which of the sampled configurations are measured: from cheap to dear by the rough model."""
    sample = space_sample(spec)
    seconds = [training_seconds(spec, resolve_configuration(spec, stored)) for stored in sample]
    order = sorted(range(len(sample)), key=seconds.__getitem__)
    n = min(N_CONFIGURATIONS, len(sample))
    return [order[round((k + 0.5) / n * len(order) - 0.5)] for k in range(n)]


def _take(record: dict[str, Any] | None, costs: list[Cost], said: list[str]) -> None:
    if record is None:
        return  # out of time, or it died
    if "failure" in record:
        said.append(str(record["failure"])[:400])
        return
    try:
        costs.append(Cost.model_validate(record["cost"]))
    except (ValidationError, KeyError) as error:
        said.append(f"A measurement makes no sense: {error}"[:400])


class _Probe:
    """One process that measures; it ends with this object's owner, whose end closes its stdin."""

    def __init__(self, spec: StudySpec) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tuning.calibration_probe"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=PROJECT_ROOT,
            env={**os.environ, **dict.fromkeys(THREADS, "1")},
            text=True,
        )
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        self._write(spec.model_dump_json())

    def ask(self, number: int, slice_s: float) -> None:
        """Let it measure a configuration."""
        self._write(json.dumps([number, slice_s]))

    def answer(self, deadline: float) -> dict[str, Any] | None:
        """Return its next answer, or None when it died or the time is up."""
        try:
            line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            record = json.loads(line)
        except (queue.Empty, ValueError):
            return None
        return record if isinstance(record, dict) else None

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.communicate()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")  # it has ended: nobody need wait

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except OSError:
            return  # it has died; its answer says so
