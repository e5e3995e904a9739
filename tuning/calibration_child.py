"""A calibration in a process of its own, for pages: one at a time, and gone with whoever asked for it."""

import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from pathlib import Path

from storage.records import write_text
from tuning.access import require_writable
from tuning.calibrating import LIMIT_S
from tuning.environments import ERROR_PREFIX
from tuning.jobs import PROJECT_ROOT
from tuning.process_group import kill_group
from tuning.spec import StudySpec

GRACE_S = 15.0  # beyond the limit of the calibration itself, for its imports

_made: "weakref.WeakSet[CalibrationChild]" = weakref.WeakSet()
_starting = threading.Lock()  # sessions are threads: two of them may look and start at the same time


class CalibrationBusy(RuntimeError):
    """Another calibration runs: two would measure each other."""


class CalibrationChild:
    """One calibration underway. It is ended with this object, which a session holds; its result stays."""

    def __init__(self, spec: StudySpec, root: Path) -> None:
        """Start it.

        Args:
            spec: the request.
            root: the runs folder, where the result is kept.

        Raises:
            CalibrationBusy: this server runs one already.
            ReadOnly: this server only shows studies.
            OSError: no process or no file can be made.
        """
        require_writable("measure anything")
        with _starting:
            if any(other.is_running for other in list(_made)):
                raise CalibrationBusy(
                    "Another measurement runs, and two would slow each other. Try again in half a minute."
                )
            scratch = tempfile.TemporaryDirectory(prefix="edgewise-estimate-", ignore_cleanup_errors=True)
            self._log = Path(scratch.name) / "log"
            request = Path(scratch.name) / "spec.json"
            write_text(request, spec.model_dump_json(), durable=False)
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(
                    [
                        *(sys.executable, "-m", "tuning", "estimate", str(request)),
                        *("--json", "--runs-dir", str(root)),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                    cwd=PROJECT_ROOT,
                    start_new_session=True,  # so that its own processes can be ended with it
                )
            timer = threading.Timer(LIMIT_S + GRACE_S, kill_group, (self._process,))
            self._finalize = weakref.finalize(self, _end, self._process, scratch, timer)
            timer.daemon = True
            timer.start()
            _made.add(self)

    @property
    def is_running(self) -> bool:
        """Whether it is still at work."""
        return self._process.poll() is None

    @property
    def words(self) -> str:
        """What it is doing, in a few words."""
        said = [line for line in self._lines() if not line.startswith(ERROR_PREFIX)]
        return said[-1] if said else "Starting"

    @property
    def fault(self) -> str:
        """Why nothing was measured; empty while it runs, and when something was."""
        code = self._process.poll()
        if not code:
            return ""
        faults = [line.removeprefix(ERROR_PREFIX) for line in self._lines() if line.startswith(ERROR_PREFIX)]
        if code == -signal.SIGKILL and not faults:
            return "It took too long and was ended."
        return " ".join(faults) or f"The process that measures ended with code {code}."

    def end(self) -> None:
        """End it now."""
        self._finalize()

    def _lines(self) -> list[str]:
        try:
            return [line for line in self._log.read_text("utf-8", "replace").splitlines() if line.strip()]
        except OSError:
            return []


def _end(
    process: "subprocess.Popen[bytes]", scratch: "tempfile.TemporaryDirectory[str]", timer: threading.Timer
) -> None:
    timer.cancel()
    kill_group(process)
    scratch.cleanup()
