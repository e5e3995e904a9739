"""What each environment of the catalogue is like, found out beside the dashboard's scripts.

Making an environment may be slow, hang, or kill its process. So a child makes one after the other and says
each as soon as it knows; one that takes too long is named and left out, and the next child goes on behind it.
"""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuning.env_description import EnvDescription
from tuning.environments import EnvironmentsError
from tuning.spec_parts import EnvSpec

ENVIRONMENT_TIMEOUT_S = 10.0
START_TIMEOUT_S = 30.0  # imports, and the packages of the server's owner
PICTURE_TIMEOUT_S = 20.0
MAX_PICTURE_BYTES = 1_000_000
MAX_LINE_BYTES = 100_000
_PROJECT_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Surveyed:
    """What is known of one environment."""

    description: EnvDescription | None  # None: it cannot be made
    fault: str = ""  # why not


class Survey:
    """Fills itself in a thread; what it has found so far can be read at any time."""

    def __init__(self, ids: Sequence[str]) -> None:
        """Find out about these environments, the catalogue's in its order."""
        self.ids = tuple(ids)
        self._found: dict[str, Surveyed] = {}
        self._thread = threading.Thread(target=self._run, name="survey", daemon=True)
        self._thread.start()

    @property
    def found(self) -> dict[str, Surveyed]:
        """What is known so far, by id."""
        return dict(self._found)

    @property
    def is_done(self) -> bool:
        """Whether nothing more is to come."""
        return not self._thread.is_alive()

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is done, but no longer than this; return whether it is."""
        self._thread.join(timeout_s)
        return self.is_done

    def _run(self) -> None:
        for env_id, surveyed in survey_from_children(self.ids):
            self._found[env_id] = surveyed


def survey_from_children(
    ids: Sequence[str], *, timeout_s: float = ENVIRONMENT_TIMEOUT_S
) -> Iterator[tuple[str, Surveyed]]:
    """Yield what each environment is like, in the catalogue's order; never raises for what one does.

    Args:
        ids: of the catalogue, in its order.
        timeout_s: that an environment may take to be made.
    """
    missing = list(ids)
    while missing:
        ending = f"{missing[0]} ended the process that looked at it."
        for line in _lines(["survey", missing[0]], timeout_s=timeout_s):
            if line is None:
                ending = f"{missing[0]} took longer than {timeout_s:.0f} s to be made."
            elif "problem" in line:
                ending = str(line["problem"])
            elif missing and line.get("id") == missing[0]:
                description = line["description"]
                seen = None if description is None else EnvDescription(**description)
                yield missing.pop(0), Surveyed(seen, line["fault"])
        if missing:
            yield missing.pop(0), Surveyed(None, ending)


def picture_from_child(env: EnvSpec, *, timeout_s: float = PICTURE_TIMEOUT_S) -> bytes:
    """Return a PNG of an environment at the start of an episode, drawn by a child process.

    Raises:
        EnvironmentsError: it cannot draw itself, takes too long, or draws too much.
    """
    with tempfile.TemporaryDirectory(prefix="edgewise-picture-") as folder:
        path = Path(folder) / "picture.png"
        asked = env.model_dump_json().encode()
        for line in _lines(["picture", str(path)], timeout_s=timeout_s, asked=asked):
            if line is None:
                raise EnvironmentsError(f"Drawing took longer than {timeout_s:.0f} s.")
            if "problem" in line:
                raise EnvironmentsError(str(line["problem"]))
        if not path.is_file():
            raise EnvironmentsError("The process that draws it ended without a picture.")
        if path.stat().st_size > MAX_PICTURE_BYTES:
            raise EnvironmentsError("Its picture is too large to be shown.")
        return path.read_bytes()


def _lines(arguments: list[str], *, timeout_s: float, asked: bytes = b"") -> Iterator[dict[str, Any] | None]:
    """Yield the JSON lines of a child; None when one is late, and the child is ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tuning.env_looks", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=_PROJECT_ROOT,
        start_new_session=True,  # so that what it starts itself can be ended with it
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(asked + b"\n")
        process.stdin.flush()  # and open until the end: the child ends with it
        waits_s, unread = START_TIMEOUT_S + timeout_s, b""
        deadline = time.monotonic() + waits_s
        while True:
            ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                yield None
                return
            read = os.read(process.stdout.fileno(), 65536)
            *lines, unread = (unread + read).split(b"\n")
            for line in lines:
                yield _parsed(line)
                deadline = time.monotonic() + timeout_s
            if not read or len(unread) > MAX_LINE_BYTES:
                return
    except BrokenPipeError:
        return
    finally:
        if process.poll() is None:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.stdout.close()
        with suppress(BrokenPipeError):  # what it never read
            process.stdin.close()
        process.wait()


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
