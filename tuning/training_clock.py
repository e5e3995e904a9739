"""The wall-clock time of a training, evaluations not counted."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class TimeIsUp(Exception):
    """The training has used up its time; it ended between two iterations, so nothing is lost."""


class TrainingClock:
    """Runs while a model learns, and stands still while it is evaluated."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._before = 0.0

    def start(self) -> None:
        """Let it run."""
        self._since = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return self._before + (time.monotonic() - self._since if self._since is not None else 0.0)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop it for the time of the block, and leave it stopped if it had not been running."""
        self._before, was_running = self.seconds, self._since is not None
        self._since = None
        try:
            yield
        finally:
            if was_running:
                self.start()
