"""An export in a process of its own, for pages: they never import torch, and a report takes seconds."""

import subprocess
import sys
import tempfile
import threading
import weakref
from pathlib import Path
from typing import Literal

from storage.paths import RunFolder
from tuning.access import require_writable
from tuning.environments import ERROR_PREFIX
from tuning.export import ExportError
from tuning.jobs import PROJECT_ROOT
from tuning.process_group import kill_group

MOST_AT_ONCE = 2  # of this server; a process with torch takes 350 MB
MOST_S = 900.0  # a video of a long episode is part of a model card
KEPT_S = 3600.0  # what waits to be downloaded; a browser that is closed tells nobody

NOTE_PREFIX = "note: "

Layout = Literal["report", "zip", "card"]

_made: "weakref.WeakSet[ExportChild]" = weakref.WeakSet()
_starting = threading.Lock()  # sessions are threads: two of them may count and start at the same time


class ExportChild:
    """One export in the making. What it writes to a temporary folder goes when this object does."""

    def __init__(self, study: RunFolder, layout: Layout, trial: int, *, out: Path | None = None) -> None:
        """Start it.

        Args:
            study: whose export it is.
            layout: what is exported.
            trial: its number.
            out: where to; None for a temporary file.

        Raises:
            ExportError: this server is building as many as it may.
            ReadOnly: `out` lies among the studies of a server that only shows them.
            OSError: no process or no file can be made.
        """
        if out is not None:
            require_writable("write among the studies")
            out.parent.mkdir(mode=0o700, exist_ok=True)
        with _starting:
            if sum(other.is_running for other in list(_made)) >= MOST_AT_ONCE:
                raise ExportError(f"{MOST_AT_ONCE} exports are being built already. Try again in a moment.")
            self._start(study, layout, trial, out)
            _made.add(self)

    def _start(self, study: RunFolder, layout: Layout, trial: int, out: Path | None) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="edgewise-export-", ignore_cleanup_errors=True)
        ending = {"report": "report.html", "zip": "model.zip", "card": "card"}[layout]
        self.path = out or Path(scratch.name) / ending
        self._log = Path(scratch.name) / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "tuning", "export", study.id, "--format", layout),
                    *("--trial", str(trial), "--out", str(self.path), "--force"),
                    *("--runs-dir", str(study.path.parent)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd=PROJECT_ROOT,
                start_new_session=True,  # so that what it starts itself can be ended with it
            )
        timers = [
            threading.Timer(MOST_S, kill_group, (self._process,)),
            threading.Timer(KEPT_S, _end, (self._process, scratch, [])),
        ]
        weakref.finalize(self, _end, self._process, scratch, timers)
        for timer in timers:  # whether or not anybody looks
            timer.daemon = True
            timer.start()

    @property
    def is_running(self) -> bool:
        """Whether it is still at work; one that takes too long is ended."""
        return self._process.poll() is None

    @property
    def words(self) -> str:
        """What it is doing, in a few words."""
        said = [line for line in self._lines() if not line.startswith((ERROR_PREFIX, NOTE_PREFIX))]
        return said[-1] if said else "Starting"

    @property
    def notes(self) -> list[str]:
        """What a person should know about the result, in sentences."""
        return [line.removeprefix(NOTE_PREFIX) for line in self._lines() if line.startswith(NOTE_PREFIX)]

    @property
    def fault(self) -> str:
        """Why there is no result; empty while it runs, and when there is one."""
        code = self._process.poll()
        if code is None or (code == 0 and self.path.exists()):
            return ""
        if code == 0:
            return "It waited too long to be fetched and was deleted. Build it again."
        faults = [line.removeprefix(ERROR_PREFIX) for line in self._lines() if line.startswith(ERROR_PREFIX)]
        return " ".join(faults) or f"The process that builds it ended with code {code}."

    def _lines(self) -> list[str]:
        try:
            return [line for line in self._log.read_text("utf-8", "replace").splitlines() if line.strip()]
        except OSError:
            return []


def _end(
    process: "subprocess.Popen[bytes]",
    scratch: "tempfile.TemporaryDirectory[str]",
    timers: list[threading.Timer],
) -> None:
    for timer in timers:
        timer.cancel()
    kill_group(process)
    scratch.cleanup()
